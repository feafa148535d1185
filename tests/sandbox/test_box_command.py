"""The command: one line once it answers, status 0 when it is told to end."""

import argparse
import re
import signal
import subprocess
import sys

import pytest
import requests

from codevf_nb.sandbox import add_arguments, run

READY = re.compile(r"CodeVF sandbox ready at (http://127\.0\.0\.1:\d+/api/v1/) with key (\S+)\n")


@pytest.fixture
def command():
    """Starts `python -m codevf_nb.sandbox`; whatever runs at the end is killed."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "codevf_nb.sandbox", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ready(process):
    line = process.stdout.readline()
    match = READY.fullmatch(line)
    assert match, line + process.stderr.read()
    return match[1], {"Authorization": f"Bearer {match[2]}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_and_ends_cleanly(command, number):
    """One line on stdout once it answers; SIGTERM and Ctrl-C end it with status 0 and no other word."""
    process = command("--port", "0", "--api-key", "cvf_test_mine", "--credits", "70", "--clock", "virtual")
    url, headers = ready(process)
    assert headers == {"Authorization": "Bearer cvf_test_mine"}
    assert requests.get(url + "credits/balance", headers=headers, timeout=10).json()["total"] == 70
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_state_is_there_after_a_restart(command, tmp_path):
    """With --state a second run knows the first one's project."""
    ids = []
    for _ in range(2):
        process = command("--port", "0", "--state", str(tmp_path / "state.json"), "--rate-limit", "off")
        url, headers = ready(process)
        answer = requests.post(url + "projects/create", json={"name": "A"}, headers=headers, timeout=10)
        ids.append((answer.status_code, answer.json()["id"]))
        process.terminate()
        assert process.wait(20) == 0
    assert ids == [(201, 1), (200, 1)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "create:1:explode"], "DO is one of"),
        (["--rate-limit", "fast"], "or off"),
        (["--rate-limit", "0"], "above 0"),
        (["--credits", "-1"], "credits"),
        (["--answer-after", "nan"], "answer_after"),
        (["--api-key", "cvf_live_x"], "cvf_live_ keys are not allowed"),
        (["--home", "/nonexistent"], "describes no sandbox"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_1(arguments, said, capsys):
    """What can't be is said in one line on stderr."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert run(parser.parse_args(["--port", "0", *arguments])) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_it_ends_by_itself_when_idle(command):
    """With --idle-exit it ends after that long without a request."""
    process = command("--port", "0", "--idle-exit", "0.1")
    ready(process)
    assert process.wait(20) == 0
