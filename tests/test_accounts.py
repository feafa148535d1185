"""What a kernel says of the accounts in its ledger, and `%codevf account`."""

from dataclasses import replace

import pytest

from codevf_nb import kernel
from codevf_nb.notebook.magics import CodeVFUserError
from codevf_nb.session import Session


@pytest.fixture
def renewed(box, account):
    """The same account under a new key; the service's answers are a while off, so that what was asked stays open."""
    box.engine.add_key("cvf_test_rotated", 1000)
    return replace(account, name="sandbox-new", api_key="cvf_test_rotated")


def open_question(box, prompt: str) -> str:
    """Ask a question that stays open: nobody polls for it any more."""
    box.add_fault("retrieve:1-99:status=503")
    session = kernel.current()
    task = session.ask(session.draft(prompt, code="x = 1"))
    kernel.close_sessions()
    return task.id


def test_open_questions_of_an_earlier_key_are_reported_once(box, account, renewed, shell):
    """The first command of a kernel says what is open under the old key, and how it is brought over."""
    kernel.use(account)
    task_id = open_question(box, "Is it still open?")
    with pytest.warns(UserWarning, match=r"1 question that you asked is still open .*same sandbox brings"):
        session = kernel.use(renewed)
    assert kernel.current() is session
    shell.run_line_magic("codevf", "account same sandbox")
    assert [entry.task_id for entry in session.ledger.questions.open()] == [task_id]
    kernel.forget()
    kernel.use(renewed)  # a warning would be an error


def test_the_accounts_of_a_ledger(box, current, renewed, shell, capsys):
    """A row for each account: which one this is, where, how many questions are open, and its earlier names."""
    current.ask(current.draft("Is it listed?", code="x = 1")).wait()
    kernel.use(renewed)
    table = shell.run_line_magic("codevf", "account")
    assert table[["account", "current", "environment", "address", "questions", "open"]].values.tolist() == [
        ["sandbox", False, "sandbox", "sandbox", 1, 0],
        ["sandbox-new", True, "sandbox", "sandbox", 0, 0],
    ]
    assert table["last_asked"].notna().tolist() == [True, False]
    shell.run_line_magic("codevf", "account same sandbox")
    assert "sandbox is sandbox-new from now on: 1 questions" in capsys.readouterr().out
    (row,) = shell.run_line_magic("codevf", "account").to_dict("records")
    assert (row["account"], row["questions"], row["earlier_names"]) == ("sandbox-new", 1, "sandbox")


@pytest.mark.parametrize(
    "line", ["account sam sandbox", "account same", "account same a b", "account --yes", "account x"]
)
def test_other_words_are_refused(current, shell, line):
    """Nothing is joined by a slip."""
    with pytest.raises(CodeVFUserError, match="codevf account"):
        shell.run_line_magic("codevf", line)


def test_an_unknown_account_is_refused(current, shell):
    """The names that there are stand in the message."""
    with pytest.raises(CodeVFUserError, match=r"no account 'live-x'.*Nothing was changed"):
        shell.run_line_magic("codevf", "account same live-x")


def test_a_budget_outlives_the_key(current, renewed):
    """A new key is under the same budget as the one before."""
    current.ledger.budgets.set("300/day")
    current.ask(current.draft("Does it count?", code="x = 1")).wait()
    session: Session = kernel.use(renewed)
    (budget,) = session.ledger.budgets.standing()
    assert budget.taken > 0
