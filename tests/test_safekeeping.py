"""The ledger looks after itself: its rights, its secrets, its forgetting, and what happens without it."""

import contextlib
import os
import shutil
import sqlite3
import stat

import pytest
from IPython.utils.capture import capture_output
from sqlalchemy import text

from codevf_nb import kernel
from codevf_nb.accounts.settings import home
from codevf_nb.delivery._errors import NotWrittenError
from codevf_nb.ledger import (
    BudgetExceededError,
    LedgerError,
    Store,
    sqlite_url,
)
from codevf_nb.notebook.magics import CodeVFUserError
from codevf_nb.session import Session

PROMPT = "Is this join dropping rows?"
BROKEN = "nothing can be asked"


def ask(current, prompt: str = PROMPT):
    return current.ask(current.draft(prompt, code="total = 1"))


def run(shell, line: str, cell: str | None = None) -> str:
    """What a magic prints, and what it gives back to be shown."""
    with capture_output() as shown:
        back = shell.run_line_magic("codevf", line) if cell is None else shell.run_cell_magic("codevf", line, cell)
    return shown.stdout + ("" if back is None else repr(back))


def files() -> dict:
    return {path: path.read_bytes() for path in sorted(home().rglob("*")) if path.is_file()}


# -- what lies on disk


def test_files_are_the_users_alone(current):
    """0600 in a 0700 folder, SQLite's journals too, while they are there."""
    store = current.ledger.store
    with store.write() as connection:
        connection.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
        rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home().iterdir()}
    assert len(rights) > 1
    assert set(rights.values()) == {0o600}
    assert stat.S_IMODE(home().stat().st_mode) == 0o700


def test_the_key_is_nowhere(current, box):
    """No byte of any file in the home holds the API key: not after an answer, an error, or an echo of it."""
    box.add_fault("create:2:status=401")
    ask(current).wait(20)
    with pytest.raises(Exception, match="key"):
        ask(current, "Is that join dropping rows?")
    assert files()
    for path, content in files().items():
        assert box.api_key.encode() not in content, path


def test_forgotten_texts_are_nowhere(current, shell):
    """What ``%codevf forget`` deletes is gone from the disk; the cell still costs nothing, and the accounting stays."""
    task = ask(current, "Is the pomegranate join dropping rows?").wait(20)
    assert any(b"pomegranate" in content for content in files().values())
    assert "the texts of 1 questions are deleted" in run(shell, "forget --before 2999-01-01")
    again = ask(current, "Is the pomegranate join dropping rows?")
    assert (again.id, again.entry.credits_used) == (task.id, task.credits_used)
    assert "its texts were deleted" in again._repr_mimebundle_()["text/plain"]
    kernel.forget()
    for path, content in files().items():
        assert b"pomegranate" not in content, path


@pytest.mark.parametrize("rest", ["", "--before", "--before yesterday", "2026-01-01"])
def test_forgetting_takes_a_day(current, shell, rest):
    """Nothing is deleted on a slip of the finger."""
    with pytest.raises(CodeVFUserError, match=r"--before (DATE|2026-01-31)"):
        run(shell, f"forget {rest}")


# -- budgets, as they are typed


def test_a_budget(current, box, shell):
    """Set, shown, kept and taken away; past it nothing is sent, and a question asked before costs nothing still."""
    assert "there is no budget" in run(shell, "budget")
    assert "400 of 400 credits per day are left until" in run(shell, "budget 400/day")
    ask(current).wait(20)
    ask(current, "Is that join dropping rows?").wait(20)
    with pytest.raises(BudgetExceededError, match=r"this may cost 240 credits, and only 2\d\d of 400"):
        ask(current, "Is any join dropping rows?")
    assert len(box.tasks()) == 2
    assert ask(current).repeated is not None
    run(shell, "budget 100/month --project shop")
    assert run(shell, "budget").count("are left") == 2
    assert "shop" not in run(shell, "budget off --project shop")
    assert "there is no budget" in run(shell, "budget off")
    assert ask(current, "Is any join dropping rows?").id is not None


# -- without a ledger


@pytest.fixture
def broken(account, box):
    """A kernel whose ledger was written by a newer version, with an answer in it."""
    path = home() / "ledger.sqlite"
    store = Store(sqlite_url(path))
    with store.write() as connection:
        connection.execute(text("UPDATE meta SET value = '999'"))
    store.close()
    with pytest.warns(UserWarning, match=BROKEN):
        yield kernel.use(account)
    kernel.forget()


def test_a_ledger_that_cannot_be_opened_blocks_no_answers(broken, box, account):
    """Balance, tags and tasks are still told; a question is refused, with why and the way on."""
    task_id = made_elsewhere(box, account)
    assert broken.balance().available == box.balance()["available"]
    assert broken.task(task_id).wait(20).message
    with pytest.raises(LedgerError, match=r"newer than this .*Nothing was sent\..*might be paid twice.*--no-ledger\."):
        ask(broken)
    assert len(box.tasks()) == 1


def test_a_team_ledger_that_is_down_blocks_no_answers(account, box, monkeypatch):
    """A database server nobody answers from: one warning, tasks can still be looked at, questions are refused."""
    task_id = made_elsewhere(box, account)
    monkeypatch.setenv("CODEVF_LEDGER", "postgresql+psycopg://me:s3cret@127.0.0.1:9/team")
    with pytest.warns(UserWarning, match=BROKEN) as warned:
        current = kernel.use(account)
    assert "s3cret" not in str(warned[0].message)
    assert current.task(task_id).wait(20).message
    with pytest.raises(LedgerError, match=r"Nothing was sent\..*--no-ledger\."):
        ask(current)
    kernel.forget()


def test_no_ledger_asks_all_the_same(broken, box, shell):
    """With ``--no-ledger`` it is asked, once for this kernel, and what is lost is said with the answer."""
    for _ in range(2):
        run(shell, f"{PROMPT} --no-ledger -w", "total = 1")
    task = shell.user_ns["_codevf"]
    assert task.message
    assert [each["id"] for each in box.tasks()] == [task.id]
    assert "asked without the ledger: only this kernel remembers it" in task._repr_mimebundle_()["text/plain"]
    assert kernel.current().task(task.id).message == task.message


def test_a_ledger_that_was_mended_is_used_again(broken, box, account):
    """No restart is needed once the reason is gone."""
    path = home() / "ledger.sqlite"
    assert kernel.current() is broken
    path.unlink()
    mended = kernel.current()
    assert mended is not broken
    assert ask(mended).id == mended.ledger.questions.latest()[0].task_id
    assert path.stat().st_size > 0


def test_no_ledger_finds_what_a_working_ledger_knows(current, box, shell):
    """The option is no way to pay twice: what can be read of the ledger is looked up first."""
    task = ask(current)
    run(shell, f"{PROMPT} --no-ledger", "total = 1")
    assert shell.user_ns["_codevf"].id == task.id
    assert len(box.tasks()) == 1


@pytest.mark.parametrize("put_back", [os.replace, shutil.copyfile])
def test_a_backup_put_back_under_a_kernel_loses_no_later_question(current, tmp_path, put_back):
    """No connection stays open between two cells: what is asked next is written to the ledger that lies there now."""
    current.watcher.stop()
    place, backup = home() / "ledger.sqlite", tmp_path / "backup.sqlite"
    ask(current)
    shutil.copyfile(place, backup)
    ask(current, "Is this one asked after the backup?")
    put_back(backup, place)
    task = ask(current, "Is this one asked after it was put back?")
    with contextlib.closing(sqlite3.connect(place)) as ledger:
        kept = [row[0] for row in ledger.execute("SELECT task_id FROM questions ORDER BY id")]
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(kept) == 2
    assert kept[-1] == task.id


def test_a_ledger_that_changes_while_the_service_answers(current, box, monkeypatch):
    """The answer goes to no other question, and whoever asks again gets it without paying again."""
    questions = current.ledger.questions

    def record_response(*arguments, **options):
        patched.undo()
        with current.ledger.store.write() as connection:
            connection.execute(text("DELETE FROM questions"))
        questions.record_response(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(questions, "record_response", record_response)
        with pytest.raises(NotWrittenError, match=r"no longer in the ledger.*sent all the same.*can't be paid twice"):
            ask(current)
    other = ask(current, "Is that join dropping rows?")
    assert ask(current).wait(20).message
    assert [each["id"] for each in box.tasks()] == [ask(current).id, other.id]


def made_elsewhere(box, account) -> str:
    """A task that this home's ledger doesn't know."""
    elsewhere = Session(account, Store(sqlite_url(home() / "elsewhere.sqlite")))
    task = ask(elsewhere)
    elsewhere.close()
    return task.id


def test_what_was_not_sent_is_said_once(current, box, shell):
    """Asked for its tags the service is gone: the question wasn't sent, and that nothing was is not said."""
    box.add_fault("tags:1-9:drop-before-commit")
    current.client._transport.sleep = lambda _: None
    with pytest.raises(CodeVFUserError) as refused:
        run(shell, PROMPT, "total = 1")
    assert str(refused.value).endswith(". The question was not sent.")
    assert "othing was sent" not in str(refused.value)
