"""The key is text only where its header is built: no traceback, repr, pickle or log shows it, nor does a message."""

import copy
import json
import logging
import pickle
import sys
import traceback

import pytest
from IPython.utils.capture import capture_output

from codevf_nb import kernel
from codevf_nb.accounts import credentials, settings
from codevf_nb.privacy import PrivateDataError, check
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import ConfigurationError
from codevf_nb.sdk.secret import Secret

WORD = "VerySecretWord7"
KEY = f"cvf_test_{WORD}"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.fixture
def verbose(shell, monkeypatch):
    """A shell whose tracebacks show the value of every name, and what it has shown."""
    monkeypatch.setenv("CODEVF_API_KEY", KEY)
    with capture_output():
        shell.run_cell(
            "%xmode Verbose\nimport codevf_nb as cvf, pandas as pd, os\nfrom codevf_nb.sdk import CodeVFClient"
        )

    def show(cell: str) -> str:
        with capture_output() as shown:
            result = shell.run_cell(cell, store_history=True)
        assert not result.success, cell
        return shown.stdout + shown.stderr

    yield show
    shell.InteractiveTB.set_mode("Context")


REFUSED = [
    "'short'",
    "'Is this cell right?', mode='nothing'",
    "'Is this cell right?', tag='nobody'",
    "'Is this cell right?', max_credits=1",
    "'Is this cell right?', metadata={'a': []}",
    "'Is this cell right?', again=0",
    "'Is this cell right?', schema={'type': 5}",
    "'Is this cell right?', files=['nothing.csv']",
    "'Is this cell right?', attach={'a': object()}",
    "'Is this cell right?', attach={'t': pd.DataFrame({'a': [1]})}, redact=['b']",
    "'Is this cell right?', max_bytes=0",
    f"'Is this cell right?', code='x = \"{TOKEN}\"'",
    "'Is this cell right?', attach={'p': pd.DataFrame({'email': ['a@corp.de', 'b@corp.de']})}",
    "'Is this cell right?', files=['key.txt']",
]


def test_no_refusal_shows_the_key(verbose, monkeypatch, tmp_path):
    """Whatever a question is refused for, by the function and by the magic."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key.txt").write_text(KEY)
    with Sandbox(clock="virtual", api_key=KEY) as box:
        kernel.use(unhurried(box))
        said = []
        for call in REFUSED:
            said.append(verbose(f"cvf.ask({call})"))
            assert "Error" in said[-1]
            assert WORD not in said[-1]
        assert sum("Session object" in one for one in said) > len(said) // 2  # values are shown


REFUSED_LINES = [
    *("short", "Is this cell right? --nothing", "Is this cell right? -m nothing", "Is this cell right? -t nobody"),
    *("Is this cell right? -c 1", "Is this cell right? --again 0", "Is this cell right? --max-bytes 0"),
    *("Is this cell right? -f nothing.csv", "Is this cell right? -a nobody", "Is this cell right? -a os"),
    *("Is this cell right? -a table --redact b", "Is this cell right? -a people", "Is this cell right? -f key.txt"),
    *("Is this cell right? -o", "debug"),
]
# One line for users; with the original exception, its frames and their values.
DEBUG = {"0": "codevf: ", "1": "Traceback"}


@pytest.mark.parametrize("debug", DEBUG)
def test_no_refusal_of_a_cell_shows_the_key(verbose, monkeypatch, tmp_path, debug):
    """The magic refuses in one line; with CODEVF_DEBUG it raises as the function does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEVF_DEBUG", debug)
    (tmp_path / "key.txt").write_text(KEY)
    with Sandbox(clock="virtual", api_key=KEY) as box:
        kernel.use(unhurried(box))
        verbose("table, people = pd.DataFrame({'a': [1]}), pd.DataFrame({'email': ['a@corp.de', 'b@corp.de']})\n1 / 0")
        for line in REFUSED_LINES:
            said = verbose(f"%%codevf {line}\nx = 1")
            assert DEBUG[debug] in said
            assert WORD not in said


FAULTS = [f"create:*:{fault}" for fault in ("429", "301", "drop", "truncate")]
FAULTS += [f"create:*:status={status}" for status in (400, 401, 402, 409, 413, 500)]
FAULTS += ["projects:*:wrong-type"]


def unhurried(box) -> settings.Account:
    """Return the account of a sandbox, without a limit of requests."""
    where = {"base_url": box.base_url, "api_key": KEY, "source": "a test", "origin": "sandbox"}
    return settings.Account("sandbox", "sandbox", **where, requests_per_second=None)


ENTRANCES = {"ask": "cvf.ask('Is cell {} right?')", "magic": "%%codevf Is cell {} right?\nx = 1"}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_error_of_the_service_shows_the_key(verbose, monkeypatch, caplog, entrance):
    """However the service answers, or fails to."""
    monkeypatch.setenv("CODEVF_DEBUG", "1")  # the magic raises as the function does
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("codevf_nb.sdk.transport.BACKOFF_CAP", 0.0)
    for number, fault in enumerate(FAULTS):
        with Sandbox(clock="virtual", api_key=KEY, faults=[fault], rate_limit=None) as box:
            kernel.use(unhurried(box))
            said = verbose(ENTRANCES[entrance].format(number))
            kernel.forget()
        assert "Error" in said
        assert WORD not in said + caplog.text


WRONG = [
    *(
        "http://codevf.com.evil.example/",
        "http://codevf.com/",
        "https://user:pass@codevf.com/",
        "https://codevf.com/?a=b",
    ),
    *("ftp://127.0.0.1/", "codevf.com", "http://127.0.0.1:9/"),
]


def test_no_wrong_address_shows_the_key(verbose, monkeypatch):
    """Neither a live one nor a test one, from the session or from the SDK alone."""
    for number, url in enumerate(WRONG):
        monkeypatch.setenv("CODEVF_BASE_URL", url)
        for call in ("cvf.ask('Is this cell right?')", "CodeVFClient(max_retries=0, timeout=2).tags.list()"):
            monkeypatch.setenv("CODEVF_API_KEY", ("cvf_live_", "cvf_test_")[number % 2] + WORD)
            assert WORD not in verbose(call)
            kernel.forget()


def test_a_key_that_is_none_is_not_shown(verbose, monkeypatch):
    """One with a line break in it is refused by its position."""
    monkeypatch.setenv("CODEVF_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:9/")
    assert WORD not in verbose("cvf.ask('Is this cell right?')")


def test_the_sandbox_of_a_home_shows_no_key(verbose, monkeypatch):
    """Its key is read from a file of the home's, and shown as little."""
    monkeypatch.setenv("CODEVF_SANDBOX", "1")
    key = kernel.current().account.api_key.reveal()
    said = verbose("cvf.ask('short')")
    monkeypatch.setattr(kernel, "use", lambda account: 1 / 0)
    kernel.forget()
    said += verbose("cvf.use_sandbox()")
    said += verbose("cvf.use_sandbox(colour=1)")
    assert "ZeroDivisionError" in said
    assert key not in said
    from codevf_nb.sandbox import process

    assert process.stop(settings.home())


def test_a_key_is_not_stored_along_with_other_things(account):
    """Neither pickled nor copied; equal keys are equal, so accounts can be compared."""
    for thing in (Secret(KEY), account):
        with pytest.raises(TypeError, match="be pickled"):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        copy.deepcopy(account)
    assert Secret(KEY) == Secret(Secret(KEY))
    assert Secret(KEY) != Secret(KEY + "8")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1
    assert WORD not in repr(Secret(KEY)) + str(Secret(KEY)) + f"{Secret(KEY)}" + repr(vars(account))
    assert CodeVFClient(Secret(KEY), "http://127.0.0.1:9/").base_url == "http://127.0.0.1:9/"


def test_a_refusal_holds_nothing_of_what_it_found(account):
    """Neither the key nor a file is in a frame of the error, for tools that show every local."""
    content = f"key = '{KEY}'".encode()
    with pytest.raises(PrivateDataError) as caught:
        check({"the prompt": f"is {KEY} right?"}, [("cell.py", content)], own_key=Secret(KEY))
    inner = caught.value.__traceback__.tb_next
    shown = traceback.TracebackException(type(caught.value), caught.value, inner, capture_locals=True)
    assert WORD not in "".join(shown.format())


# -- typed, and kept


@pytest.mark.parametrize("line", [f"login {KEY}", f"login --key={KEY}", f"logout {KEY}", f"login  {KEY} "])
def test_a_key_behind_login_is_not_repeated(shell, line):
    """It says that the key stands in the cell now."""
    with capture_output() as shown:
        assert not shell.run_cell(f"%codevf {line}").success
    said = shown.stdout + shown.stderr
    assert WORD not in said
    assert "asks for the key unseen" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("error", [NotImplementedError("no stdin"), EOFError(), OSError("closed")])
def test_login_without_anybody_to_type_is_one_line(shell, monkeypatch, error):
    """As in nbclient and papermill: it names the variable to set."""

    def nobody(_prompt):
        raise error

    monkeypatch.setattr("getpass.getpass", nobody)
    with capture_output() as shown:
        assert not shell.run_cell("%codevf login").success
    said = (shown.stdout + shown.stderr).strip()
    assert "CODEVF_API_KEY" in said
    assert len(said.splitlines()) == 1


def test_login_in_a_kernel_that_allows_no_input_is_one_line(tmp_path):
    """In a real kernel, as a runner of notebooks starts it."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    cells = ["%load_ext codevf_nb\n%codevf login"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3")
    with pytest.raises(nbclient.exceptions.CellExecutionError) as failed:
        client.execute(cwd=str(tmp_path))
    assert "CODEVF_API_KEY" in str(failed.value)
    (output,) = notebook.cells[0].outputs
    assert len(output.traceback) == 1


BROKEN = ["", "{", "[]", '["x"]', "null", "5", '"x"', "{}", '{"api_key": 5}', '{"api_key": null}', b"\xff\xfe\x00"]


@pytest.mark.parametrize("content", BROKEN, ids=repr)
def test_a_broken_file_of_the_key_is_one_line(content):
    """It is named with what to do, and removing the key removes it."""
    path = settings.home() / "credentials.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    with pytest.raises(
        ConfigurationError, match=r"credentials\.json (can't be read|must hold .* run %codevf login again)"
    ):
        settings.account_from_key()
    assert credentials.forget(settings.home())
    assert not path.exists()


def test_a_file_that_notepad_has_saved_is_read(monkeypatch):
    """With its mark in front, the settings too."""
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:9/")
    path = settings.home() / "credentials.json"
    path.write_text("\ufeff" + json.dumps({"api_key": KEY}), encoding="utf-8")
    path.chmod(0o600)
    assert settings.account_from_key().api_key == Secret(KEY)
    (settings.home() / "settings.json").write_text('\ufeff{"hosts": []}', encoding="utf-8")
    assert settings.stored() == {"hosts": []}


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_a_key_that_others_may_read_is_complained_about(monkeypatch):
    """Once it is read; a key that is kept is never readable by others, not even while it is being written."""
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:9/")
    path = settings.home() / "credentials.json"
    path.write_text("{}")
    path.chmod(0o644)
    rights, move = [], type(path).replace

    def moved(source, target):
        rights.append(source.stat().st_mode & 0o777)
        return move(source, target)

    monkeypatch.setattr(type(path), "replace", moved)
    credentials.save(KEY, settings.home())
    assert (rights, path.stat().st_mode & 0o777) == ([0o600], 0o600)
    settings.account_from_key()
    path.chmod(0o644)
    with pytest.warns(UserWarning, match="others on this machine may read the API key .*chmod 600") as told:
        settings.account_from_key()
    assert WORD not in str(told[0].message)


def test_a_keyring_that_fails_is_one_line_without_the_key(monkeypatch):
    """Whatever it raises, with the key in its frames."""

    class Ring:
        def get_password(self, *_):
            raise RuntimeError(KEY)

        def set_password(self, *_):
            raise RuntimeError(KEY)

    monkeypatch.setattr(credentials, "_keyring", Ring)
    for call in (lambda: credentials.load(settings.home()), lambda: credentials.save(KEY, settings.home())):
        with pytest.raises(ConfigurationError, match=r"RuntimeError.*CODEVF_API_KEY") as caught:
            call()
        assert WORD not in str(caught.value)
        assert caught.value.__context__ is None


def test_a_disk_that_is_full_loses_no_settings(monkeypatch):
    """They are written whole or not at all."""
    settings.store(hosts=["a.example"])
    monkeypatch.setattr("os.fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        settings.store(hosts=[])
    assert settings.stored() == {"hosts": ["a.example"]}
    assert {path.name for path in settings.home().iterdir()} == {"settings.json", "settings.lock"}


STORE = """
from codevf_nb.accounts import settings
import sys
for number in range(60):
    settings.store(**{sys.argv[1]: number})
"""


def test_processes_that_store_at_once_never_read_half_a_file():
    """None of them fails, and what another one has stored is not broken."""
    import subprocess

    settings.store(hosts=["a.example"])
    several = [subprocess.Popen([sys.executable, "-c", STORE, name], stderr=subprocess.PIPE) for name in "abc"]
    told = [one.communicate()[1] for one in several]
    assert told == [b"", b"", b""]
    assert settings.stored()["hosts"] == ["a.example"]
