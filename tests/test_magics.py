"""`%%codevf` and `%codevf` in a real IPython shell, against a real sandbox."""

import threading
from contextlib import contextmanager

import pandas as pd
import pytest

from codevf_nb import kernel
from codevf_nb.accounts import settings
from codevf_nb.ledger import LedgerError
from codevf_nb.notebook.magics import StoppedError
from codevf_nb.task import Task
from tests.soak.steps import STEPS, at_step
from tests.support.magics import creates, digest, run

CELL = "def add(item, to=[]):\n    to.append(item)\n"


def shown_text(shown) -> str:
    return "\n".join(output.data["text/plain"] for output in shown.outputs)


def test_a_cell_is_asked_and_answered(shell, current, box):
    """The task lands in the variable named, its one display shows the worst case first and then the answer."""
    result, shown = run(shell, f"%%codevf Is this default right? -w -o review --metadata sprint=7\n{CELL}")
    assert result.success
    task = shell.user_ns["review"]
    assert isinstance(task, Task)
    assert task.status == "completed"
    assert "mutable" in task.message.lower() or "default" in task.message.lower()
    (display,) = shown.outputs
    assert display.data["text/plain"].startswith("may cost at most 240 credits")
    assert task.message.splitlines()[0] in display.data["text/plain"]
    (asked,) = box.tasks()
    assert asked["prompt"] == "Is this default right?"
    assert asked["metadata"] == {"sprint": "7"}
    assert asked["attachments"][0]["sha256"] == digest(CELL.rstrip("\n"))


def test_without_wait_the_prompt_is_back_at_once(shell, current, box):
    """The cell ends while the task is open; the task can be waited for."""
    result, shown = run(shell, f"%%codevf Is this default right?\n{CELL}")
    assert result.success
    assert "pending" in shown_text(shown)
    task = shell.user_ns["_codevf"]
    assert task.wait(timeout=20).status == "completed"


def test_the_same_cell_again_costs_nothing(shell, current, box):
    """Running a cell again finds its task, says so, and submits nothing."""
    cell = f"%%codevf Is this default right? -w\n{CELL}"
    run(shell, cell)
    _, shown = run(shell, cell)
    assert len(creates(box)) == 1
    assert "0 credits now; --again 2 asks again" in shown_text(shown)
    run(shell, cell.replace("-w", "-w --again 2"))
    assert len(creates(box)) == 2


def test_the_cell_travels_unchanged(shell, current, box):
    """Braces, dollars and backslashes in the cell and the prompt are neither expanded nor eaten."""
    cell = 'path = r"C:\\tmp"\nprint(f"{path} $HOME {1+1}")'
    run(shell, f"%%codevf what's {{wrong}} with C:\\tmp and $5? -w\n{cell}")
    (asked,) = box.tasks()
    assert asked["prompt"] == "what's {wrong} with C:\\tmp and $5?"
    assert asked["attachments"][0]["sha256"] == digest(cell)


def test_text_makes_the_cell_the_prompt(shell, current, box):
    """With --text the cell is the question, several lines of it, and nothing is attached."""
    run(shell, "%%codevf --text -w\nWhich index would you use\nfor this table?")
    (asked,) = box.tasks()
    assert asked["prompt"] == "Which index would you use\nfor this table?"
    assert not asked["attachments"]


def test_dry_run_sends_nothing(shell, current, box):
    """What would go and what it would cost is shown, and that is all."""
    shell.user_ns["orders"] = pd.DataFrame({"id": range(3)})
    _, shown = run(shell, f"%%codevf Is this default right? -a orders -m fast --dry-run\n{CELL}")
    assert "would cost at most 360 credits" in shown.stdout
    assert "orders.csv" in shown.stdout
    assert "3 of 3 rows" in shown.stdout
    assert creates(box) == []


BIG = 51 * 1024 * 1024


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("short", "10"),
        ("word " * 2001, "10,000"),
        ("Is this right? -c 10", "10"),
        ("Is this right? -m realtime_answer -c 601", "601"),
        ("Is this right? -m quick", "'quick' is not one of realtime_answer, fast, standard"),
        ("Is this right? -t plumber", "tag 'plumber' is not one of"),
        ("Is this right? -a number", "number is a object, which can't be attached"),
        ("Is this right? -a nothing", "no variable 'nothing'"),
        ("Is this right? -f missing.log", "does not exist: missing.log"),
        ("Is this right? -f big.bin", "50 MB"),
        ("Is this right? --metadata sprint", "KEY=VALUE"),
        ("Is this right? --mod fast", "--mod"),
        ("Is this right? -c 1e9", "-c needs a whole number, not '1e9'"),
        ("Is this right? -c lots", "-c needs a whole number, not 'lots'"),
        ("Is this right? -w --timeout -1", "--timeout takes seconds"),
        ("Is this right? -o class", "no variable can have that name"),
        ("Is this right? -f .", "is a folder"),
        ("Is this right? --context -3", "1 or more"),
        ("Is this right? --max-bytes 0", "1 byte or more"),
        ("Is this right? --again 0", "counts from 1"),
        ("Is this right? --metadata a=1 --metadata a=2", "--metadata a is given twice"),
        ("Is this right? -a number,,number", "not a valid list of Python expressions"),
        ("Is this right? -a fails()", "first line second line"),
        ("Is this right? -s table", "a DataFrame can't be made a JSON Schema"),
        ("Is this right? -s number", "can't be made a JSON Schema"),
        ("Is this right? -s elsewhere", "only references within the schema"),
        ("Is this right? --text --run", "leave one out"),
        ('""', "at least 10"),
        ("Is this right? -m fasst", "(did you mean fast?)"),
        ("Is this right? -t enginer", "(did you mean engineer?)"),
        ("Is this right? -a tabel", "no variable 'tabel' to attach (did you mean table?)"),
        ("Is this right? -f trips.csv", "does not exist: trips.csv (did you mean trip.csv?)"),
        ("Is this right? -f nowhere/trips.csv", "does not exist: nowhere/trips.csv."),
        ("Is this right? --dry_run", "did you mean --dry-run?"),
        ("Is this right? -a table number", "-a takes a list with commas: -a table,number."),
        ("-a table number", "-a takes a list with commas: -a table,number."),
        ("Is this right? --timeout 5", "add -w, or leave --timeout out"),
        ("Is this right? \\\n--dry_run", "did you mean --dry-run?"),
        ("Is this right?\n--dry-run", "the cell begins with --dry-run"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_sent(shell, current, box, tmp_path, monkeypatch, line, told):
    """Whatever breaks a rule is told in one line that names it, as a real exception; nothing is sent or recorded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trip.csv").write_text("a")
    if "big.bin" in line:
        (tmp_path / "big.bin").write_bytes(bytes(BIG))
    shell.user_ns |= {"number": object(), "table": pd.DataFrame({"a": [1, 2]}), "fails": _several_lines}
    shell.user_ns["elsewhere"] = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}}
    result, shown = run(shell, f"%%codevf {line}\n{CELL}")
    assert isinstance(result.error_in_exec, Exception)
    assert told in str(result.error_in_exec)
    (said,) = shown.stdout.strip().splitlines() or shown.stderr.strip().splitlines()
    assert said == str(result.error_in_exec)
    assert said.count("Nothing was sent.") == 1
    assert creates(box) == []
    assert current.ledger.questions.latest() == []


def _several_lines():
    raise ValueError("first line\nsecond line")


@pytest.mark.parametrize("line", ["--help", "-h", "Is this right? --help", "-h -m fast Is this right?"])
def test_help_sends_nothing(shell, box, line):
    """`--help` on the line shows the help, needs no account, and ends without an error."""
    result, shown = run(shell, f"%%codevf {line}\n{CELL}")
    assert result.success
    assert shown.stdout == run(shell, "%codevf help")[1].stdout
    assert box.requests() == []


def test_a_line_continues_after_a_backslash(shell, current, box):
    """Options on the next line are options, and the cell begins below them."""
    result, _ = run(shell, f"%%codevf Is this default right? \\\n    --mode fast -w\n{CELL}")
    assert result.success
    (asked,) = box.tasks()
    assert (asked["prompt"], asked["mode"]) == ("Is this default right?", "fast")
    assert asked["attachments"][0]["sha256"] == digest(CELL.rstrip("\n"))


LOCALS = """
def review(line):
    local, local_schema = table.head(1), {"type": "object", "properties": {"a": {"type": "number"}}}
    get_ipython().run_cell_magic("codevf", line, "x = 1")
"""


def test_a_function_attaches_its_own_variables(shell, current, box):
    """A function that runs the magic attaches its locals, the notebook's variables, and both in one expression."""
    shell.user_ns["table"] = pd.DataFrame({"a": [1, 2]})
    run(shell, LOCALS)
    result, _ = run(shell, "review('Is a local attached? -a local,table,table.loc[local.index] -s local_schema -w')")
    result.raise_error()
    (asked,) = box.tasks()
    names = {part["fileName"] for part in asked["attachments"]}
    assert {"local.csv", "table.csv", "attachment_1.csv"} <= names
    result, _ = run(shell, f"%%codevf Is a local attached? -a local\n{CELL}")
    assert "no variable 'local'" in str(result.error_in_exec)


def test_debug_sees_no_variables_of_ours(shell, current, box):
    """`%codevf debug` runs the magic itself; its own variables are not the user's."""
    run(shell, "1 / 0")
    result, _ = run(shell, "%codevf debug -a rest --dry-run")
    assert "no variable 'rest'" in str(result.error_in_exec)


@pytest.mark.parametrize("line", ["", "--text", "-m fast", "--"])
def test_nothing_to_ask_is_not_asked(shell, current, box, line):
    """No prompt and a blank cell would pay for a review of nothing."""
    result, _ = run(shell, f"%%codevf {line}\n \n")
    assert "there is nothing to ask. Nothing was sent." in str(result.error_in_exec)
    assert creates(box) == []


def test_a_prompt_needs_no_cell(shell, current, box):
    """A question over a blank cell goes without an empty file."""
    run(shell, "%%codevf Which index would you use? -w\n\n\n")
    assert not box.tasks()[0]["attachments"]


def test_odd_tables_are_attached(shell, current, box):
    """No rows, the same column twice, MultiIndex columns, complex numbers and objects: each goes as a table."""
    shell.user_ns |= {
        "empty": pd.DataFrame(),
        "rowless": pd.DataFrame({"a": []}),
        "twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "deep": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
        "odd": pd.DataFrame({"z": [1 + 2j], "o": [{"k": [1]}], "p": pd.period_range("2026", periods=1, freq="D")}),
    }
    for name in ("empty", "rowless", "twice", "deep", "odd"):
        result, _ = run(shell, f"%%codevf Is this table right? -w -a {name}\n{CELL}")
        assert result.success
    sent = {part["fileName"] for task in box.tasks() for part in task["attachments"]}
    assert {"empty.csv", "rowless.csv", "twice.csv", "deep.csv", "odd.csv"} <= sent


def test_nested_metadata_is_refused(current, box):
    """Metadata is flat; what nests is named, and nothing is sent."""
    import codevf_nb as cvf

    with pytest.raises(Exception, match="where"):
        cvf.ask("Is this default right?", metadata={"where": {"deep": 1}})
    assert creates(box) == []
    assert current.ledger.questions.latest() == []


def test_without_a_key_the_three_ways_on_are_told(shell):
    """No key and no sandbox: one line with what to do, and nothing is sent."""
    result, shown = run(shell, f"%%codevf Is this default right?\n{CELL}")
    for way in ("CODEVF_API_KEY", "%codevf login", "%codevf sandbox"):
        assert way in str(result.error_in_exec)
    assert len(shown.stdout.strip().splitlines()) <= 1


def test_a_key_with_a_newline_is_refused(shell, monkeypatch):
    """A key that can't stand in a header is refused before one is built, without being shown."""
    monkeypatch.setenv("CODEVF_API_KEY", "cvf_test_secret\n")
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:1/api/v1/")
    result, shown = run(shell, f"%%codevf Is this default right?\n{CELL}")
    assert "key" in str(result.error_in_exec)
    assert "secret" not in str(result.error_in_exec) + shown.stdout + shown.stderr
    kernel.forget()


def test_a_live_key_never_pays_by_default(shell, account):
    """With a live key the credits must be said; the default is for sandboxes and test keys only."""
    live = settings.Account("live-1", "live", account.base_url, account.api_key, "a test", "live", None)
    kernel.use(live)
    result, _ = run(shell, f"%%codevf Is this default right?\n{CELL}")
    assert "a live key has no default for credits" in str(result.error_in_exec)
    kernel.forget()


def test_config_stands_in_for_options(shell, current, box):
    """`%config CodeVF.mode` is the default; an option on the line goes before it."""
    run(shell, "%config CodeVF.mode = 'fast'")
    run(shell, f"%%codevf Is this default right? -w\n{CELL}")
    run(shell, f"%%codevf Is this default right? -w -m standard\n{CELL}")
    assert {task["mode"] for task in box.tasks()} == {"fast", "standard"}


def test_debug_gives_the_traceback(shell, current, monkeypatch):
    """CODEVF_DEBUG=1 lets the original exception through."""
    monkeypatch.setenv("CODEVF_DEBUG", "1")
    result, _ = run(shell, f"%%codevf short\n{CELL}")
    assert type(result.error_in_exec).__name__ == "BadRequestError"


def test_interrupting_the_wait_leaves_the_task(shell, account, box, monkeypatch):
    """Ctrl-C stops the waiting and says how to cancel; the task is still open."""
    from codevf_nb.delivery.watcher import Watcher

    current = kernel.use(account)
    monkeypatch.setattr(Watcher, "wait", _interrupted)
    result, _ = run(shell, f"%%codevf Is this default right? -w\n{CELL}")
    assert "the task goes on" in str(result.error_in_exec)
    assert f"%codevf cancel {shell.user_ns['_codevf'].id}" in str(result.error_in_exec)
    assert current.ledger.questions.latest()[0].state == "accepted"
    kernel.forget()


# What a person is told who presses Ctrl-C at a step of the protocol.
UNSENT = "codevf: stopped. The question was not sent by this run."
MAYBE = (
    "codevf: stopped while it was being sent, so it may be at the service. Run the cell again: it can't be paid twice."
)
STOPPED = {
    "before-prepare": UNSENT,
    "after-prepare": UNSENT,
    "before-attempt": UNSENT,
    "after-attempt": MAYBE,
    "before-exchange": MAYBE,
    "after-exchange": MAYBE,
    "before-record_response": MAYBE,
    "after-record_response": MAYBE,
    "before-accept": MAYBE,
    "after-accept": "codevf: stopped waiting, and the task goes on. %codevf cancel task_",
}
QUESTION = f"%%codevf Is this default right?\n{CELL}"


@pytest.mark.parametrize("step", [step for step in STEPS if not step.endswith("update_from_task")])
def test_interrupting_says_in_one_line_how_the_question_stands(shell, account, box, step):
    """Ctrl-C at any step ends the cell with what is known and what to do; run again, it asks or finds one task."""
    at_step(kernel.use(account), step, _interrupted)
    result, _ = run(shell, QUESTION)
    assert isinstance(result.error_in_exec, StoppedError)
    assert str(result.error_in_exec).startswith(STOPPED[step])
    kernel.forget()
    kernel.use(account)
    result, _ = run(shell, QUESTION)
    result.raise_error()
    assert [task["id"] for task in box.tasks()] == [shell.user_ns["_codevf"].id]
    kernel.forget()


@pytest.mark.parametrize("where", ["notebook.grammar.read", "kernel.current", "attachments.gather"])
def test_interrupting_before_there_is_a_question(shell, current, box, monkeypatch, where):
    """Also while the line is read, a ledger is opened, or a table made ready."""
    monkeypatch.setattr(f"codevf_nb.{where}", _interrupted)
    result, _ = run(shell, QUESTION)
    assert str(result.error_in_exec) == UNSENT
    assert creates(box) == []


def test_interrupting_what_was_asked_before(shell, current, monkeypatch):
    """A task that goes on is named, and so is one that has ended; a dry run has asked for neither."""
    current.watcher.stop()
    monkeypatch.setattr("codevf_nb.widgets.under_cell", _interrupted)
    result, _ = run(shell, QUESTION)
    first = shell.user_ns["_codevf"]
    run(shell, QUESTION.replace("default", "argument"))
    result, _ = run(shell, QUESTION)
    assert f"the task goes on. %codevf cancel {first.id} stops it; %codevf show {first.id}" in str(result.error_in_exec)
    while first.is_open:
        current.refresh(first.entry)
    result, _ = run(shell, QUESTION)
    assert f"stopped. %codevf show {first.id} shows what was asked before." in str(result.error_in_exec)
    monkeypatch.setattr("codevf_nb.session.Session.balance", _interrupted)
    result, _ = run(shell, QUESTION.replace("right?", "right? --again 2 --dry-run"))
    assert str(result.error_in_exec) == UNSENT


def test_interrupting_with_a_ledger_that_fails(shell, account, monkeypatch):
    """What the ledger can't tell is not made up."""
    current = kernel.use(account)

    def broken(*_: object) -> None:
        raise LedgerError("the ledger can't be used: disk I/O error")

    def break_and_interrupt() -> None:
        monkeypatch.setattr(current.ledger.questions, "same", broken)
        raise KeyboardInterrupt

    at_step(current, "after-exchange", break_and_interrupt)
    result, _ = run(shell, QUESTION)
    assert "whether it was sent isn't known: the ledger can't be used: disk I/O error" in str(result.error_in_exec)
    kernel.forget()


NESTED = "get_ipython().run_cell_magic('codevf', 'Is this one right?', 'y = 1')"


@pytest.mark.parametrize("inner", ["%codevf wait", NESTED])
def test_interrupting_inside_of_a_run_asks_nothing(shell, current, box, monkeypatch, inner):
    """Ctrl-C is no failure of the cell that was run, to be asked about."""
    current.watcher.stop()  # so that there is something to wait for
    run(shell, QUESTION)
    run(shell, "1 / 0")
    monkeypatch.setattr("codevf_nb.delivery.watcher.Watcher.wait", _interrupted)
    monkeypatch.setattr("codevf_nb.widgets.under_cell", _interrupted)
    result, _ = run(shell, f"%%codevf Why does this hang? --run\n{inner}")
    assert "the run was interrupted, so nothing was asked" in str(result.error_in_exec)
    assert len(creates(box)) == (2 if inner == NESTED else 1), "what the cell itself has asked"


LOOP = """
for number in range(3):
    try:
        get_ipython().run_line_magic('codevf', 'wait')
    except Exception:
        pass
ended = True
"""


def test_interrupting_a_loop_ends_the_loop(shell, current, monkeypatch):
    """As any Ctrl-C does; in one line, with what was asked going on."""
    run(shell, QUESTION)
    monkeypatch.setattr("codevf_nb.delivery.watcher.Watcher.wait", _interrupted)
    result, _ = run(shell, LOOP)
    assert str(result.error_in_exec) == "codevf: stopped. %codevf status shows the status of each question."
    assert "ended" not in shell.user_ns
    assert current.ledger.questions.latest()[0].state == "accepted"


def test_an_interrupted_transaction_holds_no_lock(shell, current, monkeypatch):
    """Ctrl-C may come when a transaction has begun and nothing is there yet to end it; its traceback is kept."""
    budgets = current.ledger.budgets
    store = budgets._store

    class Begun:
        @contextmanager
        def write(self):
            transaction = store.write()
            transaction.__enter__()
            raise KeyboardInterrupt
            yield

    monkeypatch.setattr(budgets, "_store", Begun())
    result, _ = run(shell, "%codevf budget 1000/week")
    assert isinstance(result.error_in_exec, StoppedError)
    result, _ = run(shell, QUESTION)
    result.raise_error()


def _interrupted(*_args, **_options):
    raise KeyboardInterrupt


def test_loading_twice_leaves_one_of_everything_and_unloading_nothing(shell):
    """%reload_ext doubles nothing; %unload_ext takes magics and configuration out again."""
    run(shell, "%load_ext codevf_nb")
    run(shell, "%reload_ext codevf_nb")
    assert [type(part).__name__ for part in shell.configurables].count("CodeVF") == 1
    run(shell, "%unload_ext codevf_nb")
    assert "CodeVF" not in [type(part).__name__ for part in shell.configurables]
    for kind in ("line", "cell"):
        assert "codevf" not in shell.magics_manager.magics[kind]


def test_reloading_changes_no_account_and_leaves_no_thread(shell, current, box):
    """After %reload_ext a kernel talks to the account it talked to before; unloading leaves no watcher behind."""
    run(shell, f"%%codevf Is this default right?\n{CELL}")
    run(shell, "%unload_ext codevf_nb")
    assert [thread.name for thread in threading.enumerate() if "watcher" in thread.name] == []
    run(shell, "%load_ext codevf_nb")
    assert kernel.current().account == current.account
    run(shell, f"%%codevf Is this default right? -w\n{CELL}")
    assert len(creates(box)) == 1


def test_the_key_is_nowhere_to_be_seen(shell, box, monkeypatch, own_home):
    """A key that was typed is in no output, history, traceback, variable, log or file but the one that keeps it."""
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.setenv("CODEVF_DEBUG", "1")
    monkeypatch.setattr("getpass.getpass", lambda _prompt: box.api_key)
    seen = []
    for cell in (
        "%codevf login",
        f"%%codevf Is this default right? -w -o task\n{CELL}",
        "task",
        "%codevf status",
        "%codevf tasks",
        "%codevf balance",
        "%codevf show task_unknown",
        f"%%codevf Is this default right? -m nothing\n{CELL}",
        "%tb Verbose",
        "%config CodeVF",
        "%whos",
        "import codevf_nb.kernel\nprint(vars(codevf_nb.kernel.current()), codevf_nb.kernel.current().account)",
    ):
        _, shown = run(shell, cell)
        seen += [shown.stdout, shown.stderr, *(str(output.data) for output in shown.outputs)]
    seen += shell.history_manager.input_hist_raw + [repr(value) for value in shell.user_ns.values()]
    assert len("".join(seen)) > 2000
    assert not [text for text in seen if box.api_key in text]
    kept = [path for path in own_home.rglob("*") if path.is_file() and box.api_key.encode() in path.read_bytes()]
    assert [path.name for path in kept] == ["credentials.json"]
    run(shell, "%codevf logout")
