"""The ledger as DataFrames: columns, dtypes, signs, and nothing that surprises."""

import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codevf_nb as cvf
from codevf_nb import frames
from codevf_nb.ledger import Ledger, Store, sqlite_url
from codevf_nb.sdk.exceptions import BadRequestError

CODE = "def add(item, to=[]):\n    to.append(item)"
EVERY = {
    "tasks": (cvf.tasks, frames.TASKS),
    "credits": (cvf.credits, frames.CREDITS_BOOK),
    "balance": (cvf.balance, frames.BALANCES),
    "spend": (cvf.spend, {"mode": frames.TEXT, **frames.SPEND}),
}


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


@pytest.fixture
def asked(current):
    """Two questions, answered."""
    first = cvf.ask("Is this default argument right?", code=CODE, mode="fast", tag="engineer").wait()
    second = cvf.ask("Is this default argument wrong?", code=CODE, metadata={"n": 1}).wait()
    return first, second


@pytest.mark.parametrize("name", EVERY)
def test_columns_and_dtypes_are_the_designs(current, name):
    """An empty frame has the same columns and dtypes as a full one."""
    call, columns = EVERY[name]
    assert dtypes(call()) == columns
    cvf.ask("Is this default argument right?", code=CODE).wait()
    full = call()
    assert len(full) > 0
    assert dtypes(full) == columns


def test_tasks_tell_what_was_asked(asked):
    """One row per question, with what it cost and how long its answer took."""
    first, second = asked
    table = cvf.tasks()
    assert table["task_id"].tolist() == [first.id, second.id]
    assert table["mode"].tolist() == ["fast", "standard"]
    assert table["cost_cap"].tolist() == [612.0, 240.0]
    assert table["attachments"].tolist() == [1, 1]
    assert (table["answered_in"] == table["completed_at"] - table["created_at"]).all()
    assert (table["answered_in"] > pd.Timedelta(0)).all()


def test_the_running_sum_of_the_book_is_what_is_available(asked, box):
    """Holds, releases and charges add up to the balance that the service itself tells."""
    book = cvf.credits(refresh=True)
    assert (book["credits"].cumsum() == book["available"]).all()
    assert (book["available"] + book["on_hold"] == book["total"]).all()
    assert book["available"].iloc[-1] == box.balance()["available"]
    assert book["kind"].tolist().count("unexplained") == 1, "only the first balance has no history"
    assert (book.loc[book["kind"] == "hold", "credits"] < 0).all()
    assert (book.loc[book["kind"] == "charge", "credits"] < 0).all()
    assert (book.loc[book["kind"] == "release", "credits"] > 0).all()


def test_spend_adds_up(asked):
    """Groups hold all credits, shares add to one, and only what occurs is listed."""
    table = cvf.spend(by=["mode", "tag"])
    assert table["credits_used"].sum() == cvf.tasks()["credits_used"].sum()
    assert table["share"].sum() == pytest.approx(1)
    assert set(table["mode"]) == {"fast", "standard"}
    assert cvf.spend(by="project")["questions"].tolist() == [2]
    with pytest.raises(BadRequestError, match="weather"):
        cvf.spend(by="weather")


def test_frames_are_there_after_a_restart(asked, account):
    """A new session on the same home reads the same ledger."""
    from codevf_nb import session

    before = cvf.tasks()
    session.forget()
    session.use(account)
    pd.testing.assert_frame_equal(cvf.tasks(), before)


def test_frames_survive_csv_and_groupby(asked):
    """What people do with a frame works without surprises."""
    table = cvf.tasks()
    back = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert back["task_id"].tolist() == table["task_id"].tolist()
    assert table.groupby("status").size().to_dict() == {"completed": 2}
    assert table.set_index("created_at").resample("1D").size().sum() == 2


def test_one_account_never_adds_to_another(asked, account):
    """Frames speak of the current account unless all are asked for."""
    from codevf_nb import session

    session.forget()
    other = type(account)(**{**vars(account), "name": "other"})
    session.use(other)
    assert len(cvf.tasks()) == 0
    assert len(cvf.credits()) == 0
    assert set(cvf.tasks(account="all")["account"]) == {"sandbox"}


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.integers(1, 900), st.floats(0, 1)),
        st.tuples(st.just("elsewhere"), st.integers(-500, 500), st.just(0)),
        st.tuples(st.just("look"), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=40)
@given(MOVES)
def test_the_book_always_adds_up(tmp_path_factory, moves):
    """Whatever happens here or elsewhere, the running sum is what is available, and every balance seen is met."""
    store = Store(sqlite_url(tmp_path_factory.mktemp("book") / "ledger.sqlite"))
    ledger = Ledger(store, "a", "sandbox")
    available, looks = 1000.0, []
    for number, (kind, amount, part) in enumerate(moves):
        if kind == "spend":
            used = round(amount * part, 2)
            book_a_question(ledger, number, amount, used)
            available -= used
        elif kind == "elsewhere":
            available += amount
        else:
            ledger.balances.record(available, 0.0, at=float(number))
            looks.append(available)
    book = frames.credits(store, "a")
    store.close()
    assert (book["credits"].cumsum().sub(book["available"]).abs() < 1e-6).all()
    assert book.loc[book["kind"] == "balance", "available"].tolist() == pytest.approx(looks)


def book_a_question(ledger: Ledger, number: int, cap: int, used: float) -> None:
    """Write a question into the ledger that was asked, answered and charged."""
    asked = {
        "environment": "sandbox",
        "origin": "sandbox",
        "credential": "c",
        "asked_by": "me",
        "identity": str(number),
        "asking": 1,
        "idempotency_key": str(number),
        "attachments": [],
        "cost_cap": cap,
    }
    entry = ledger.questions.prepare(b"{}", ledger.lease(10), float(number), **asked)
    ledger.questions.accept(entry.id, task_id=f"task_{number}", status="pending", created_at=float(number))
    done = {"status": "completed", "credits_used": used, "completed_at": float(number)}
    ledger.questions.become(entry.id, **done)
