"""The subcommands of `%codevf`."""

import pytest
from IPython.utils.capture import capture_output

from codevf_nb import commands
from codevf_nb.grammar import OPTIONS

CELL = "def add(item, to=[]):\n    to.append(item)\n"


def value_of(shell, line: str):
    with capture_output() as shown:
        result = shell.run_cell(line)
    result.raise_error()
    return result.result, shown.stdout


@pytest.fixture
def asked(shell, current, box):
    """A question that was asked and answered."""
    with capture_output():
        shell.run_cell(f"%%codevf Is this default right? -w\n{CELL}").raise_error()
    return shell.user_ns["_codevf"]


def test_help_lists_every_option_and_subcommand(shell):
    """What there is stands in the help, and the help needs no account."""
    _, text = value_of(shell, "%codevf help")
    for option in OPTIONS:
        assert option.long in text
    for name in commands.COMMANDS:
        assert f"  {name} " in text
    assert value_of(shell, "%codevf")[1] == text


def test_show_returns_the_task(shell, asked):
    """`show` finds the newest task, or the one named, and gives it back to be kept."""
    assert value_of(shell, "%codevf show")[0].id == asked.id
    assert value_of(shell, f"%codevf show {asked.id}")[0].message == asked.message


def test_status_tells_what_is_open(shell, current, box, asked):
    """With nothing open it says so; an open task is told in words."""
    assert "nothing is open" in value_of(shell, "%codevf status")[1]
    assert "completed" in value_of(shell, f"%codevf status {asked.id}")[1]


def test_cancel_releases_what_was_held(shell, account):
    """A cancelled task holds nothing any more; without a name the newest open one is meant."""
    from codevf_nb import kernel
    from codevf_nb.sandbox import Sandbox

    with Sandbox(clock="virtual", reviewer="none") as box:
        account = type(account)(**{**vars(account), "base_url": box.base_url, "api_key": box.api_key})
        kernel.use(account)
        with capture_output():
            shell.run_cell(f"%%codevf Is this default right?\n{CELL}").raise_error()
        assert box.balance()["onHold"] == 240
        assert "pending" in value_of(shell, "%codevf status")[1]
        task, _ = value_of(shell, "%codevf cancel")
        assert task.status == "cancelled"
        assert box.balance()["onHold"] == 0
        kernel.forget()


def test_frames_come_back(shell, asked):
    """The tables are returned, so that they can be kept."""
    assert list(value_of(shell, "%codevf tasks")[0]["task_id"]) == [asked.id]
    assert value_of(shell, "%codevf spend tag")[0]["questions"].sum() == 1
    assert value_of(shell, "%codevf credits")[0]["available"].iloc[-1] == 100_000 - asked.credits_used
    assert value_of(shell, "%codevf balance")[0]["on_hold"].item() == 0
    assert "engineer" in set(value_of(shell, "%codevf tags")[0]["name"])


def test_unknown_subcommands_are_told(shell):
    """A slip names what there is, and how to ask about a cell."""
    with pytest.raises(Exception, match="there is no %codevf taks"):
        value_of(shell, "%codevf taks")


def test_login_checks_and_keeps_the_key_unseen(shell, box, monkeypatch, own_home):
    """The key is read unseen, tried with one GET, kept in a file of the user's alone, and removed by logout."""
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: box.api_key)
    before = len(box.requests())
    _, said = value_of(shell, "%codevf login")
    kept = own_home / "codevf_nb" / "credentials.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert box.api_key not in said
    assert [path.rsplit("/", 2)[-2:] for _, path, *_ in box.requests()[before:]] == [["credits", "balance"]]
    assert value_of(shell, "%codevf balance")[0]["available"].item() == 100_000
    value_of(shell, "%codevf logout")
    assert not kept.exists()


def test_login_refuses_a_key_that_does_not_work(shell, box, monkeypatch, own_home):
    """A key the service doesn't know is not kept."""
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "cvf_test_wrong")
    with pytest.raises(Exception, match="key"):
        value_of(shell, "%codevf login")
    assert not (own_home / "codevf_nb" / "credentials.json").exists()


def test_sandbox_options_are_read(shell):
    """A slip in the sandbox's options is told before anything starts."""
    with pytest.raises(Exception, match="no option '--sed'"):
        value_of(shell, "%codevf sandbox --sed 1")
    with pytest.raises(Exception, match="needs a number"):
        value_of(shell, "%codevf sandbox --seed one")


def test_help_about_one_subcommand(shell):
    """`help wait` tells what may follow it and what it does."""
    _, text = value_of(shell, "%codevf help wait")
    assert text.splitlines()[0] == "%codevf wait [TASK …]"
    assert "wait for the answer" in text
    with pytest.raises(Exception, match="there is no %codevf waiting"):
        value_of(shell, "%codevf help waiting")


def test_several_tasks_are_waited_for(shell, current, asked):
    """`wait` takes several tasks and gives them all back."""
    shell.run_cell(f"%%codevf Is it wrong in another way? -o other\n{CELL}").raise_error()
    other = shell.user_ns["other"]
    tasks, _ = value_of(shell, f"%codevf wait {asked.id} {other.id}")
    assert [task.status for task in tasks] == ["completed", "completed"]


def test_a_task_made_elsewhere_is_taken_in(shell, current, box):
    """`track` finds a task that another program made on the same account."""
    project = current.client.projects.create("elsewhere")
    made = current.client.tasks.create("Asked by another program.", 240, project.id)
    task, _ = value_of(shell, f"%codevf track {made.id}")
    assert task.wait(timeout=20).status == "completed"
    assert made.id in set(value_of(shell, "%codevf tasks")[0]["task_id"])


def test_estimate_compares_modes_and_tags(shell, current):
    """Every mode with every active tag, with what a question may cost at most."""
    table, _ = value_of(shell, "%codevf estimate -c 300")
    assert len(table) == 9
    fast = table[(table["mode"] == "fast") & (table["tag"] == "Engineer")]
    assert fast["cost_cap"].item() == 765
    assert set(table.loc[table["mode"] == "realtime_answer", "max_credits"]) == {300}


def test_config_is_kept_for_later_kernels(shell, current, box):
    """`config --save` keeps the defaults; a kernel that loads the extension later has them."""
    value_of(shell, "%config CodeVF.mode = 'fast'")
    _, told = value_of(shell, "%codevf config --save")
    assert "CodeVF.mode = 'fast'" in told
    value_of(shell, "%unload_ext codevf_nb")
    value_of(shell, "%load_ext codevf_nb")
    assert "CodeVF.mode = 'fast'" in value_of(shell, "%codevf config")[1]


def test_a_schema_may_be_a_file(shell, current, tmp_path):
    """--schema takes a variable's name or a JSON file; the answer is data."""
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}')
    shell.run_cell(f"%%codevf How good is this? -w -s {path}\n{CELL}").raise_error()
    assert isinstance(shell.user_ns["_codevf"].result["score"], int | float)
    with pytest.raises(Exception, match="neither a variable nor a file"):
        value_of(shell, f"%%codevf How good is this? -s nothing\n{CELL}")
