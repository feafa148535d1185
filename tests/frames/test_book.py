"""``credits()``: an account book whose running sum is what is available, whatever happens elsewhere."""

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb import analysis
from codevf_nb.ledger import MemoryStore
from tests.frames.history import History

AMOUNTS = st.decimals(0, 900, places=2).map(float)
ACCOUNTS = (("live-1", "live"), ("sandbox", "sandbox"))
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 900), st.just(0.0)),
        st.tuples(st.just("answer"), st.just(0), st.floats(0, 1)),
        st.tuples(st.just("cancel"), st.just(0), st.just(0.0)),
        st.tuples(st.just("elsewhere"), st.just(0), AMOUNTS.map(lambda amount: amount - 450)),
        st.tuples(st.just("look"), st.just(0), st.just(0.0)),
    ),
    max_size=20,
)


class ServiceInfo:
    """What the service would say: it knows every movement, also those made elsewhere."""

    def __init__(self, past: History) -> None:
        self.past = past
        self.available, self.on_hold = 1000.0, 0.0
        self.open: dict[str, int] = {}
        self.told: list[float] = []

    def move(self, at: float, what: str, cap: int, part: float) -> None:
        if what == "ask":
            self.open[self.past.ask(at, cap=cap)] = cap
            self.available, self.on_hold = round(self.available - cap, 2), self.on_hold + cap
        elif what in ("answer", "cancel") and self.open:
            task_id, cap = self.open.popitem()
            used = round(cap * part, 2)
            self.past.answer(task_id, used, at, status="completed" if what == "answer" else "cancelled")
            self.available, self.on_hold = round(self.available + cap - used, 2), self.on_hold - cap
        elif what == "elsewhere":
            self.available = round(self.available + part, 2)
        elif what == "look":
            self.past.ledger.balances.record(self.available, self.on_hold, at)
            self.told.append(self.available)


@settings(deadline=None, max_examples=40)
@given(moves=st.tuples(MOVES, MOVES))
def test_the_book_always_adds_up(moves):
    """The running sum of credits is available at every row of each account, and every balance told is met."""
    store = MemoryStore()
    services = [ServiceInfo(History(store, *account)) for account in ACCOUNTS]
    for at in range(max(map(len, moves))):
        for service, mine in zip(services, moves, strict=True):
            if at < len(mine):
                service.move(float(at), *mine[at])
    book = checked(analysis.credits(store, None), services)
    store.close()
    for service in services:
        if service.told:
            assert of(book, service)["on_hold"].iloc[-1] == sum(service.open.values())


def of(book: pd.DataFrame, service: ServiceInfo) -> pd.DataFrame:
    return book[book["account"] == service.past.account]


def checked(book: pd.DataFrame, services: list[ServiceInfo]) -> pd.DataFrame:
    """Return a book after looking at what is so of every book."""
    assert {name: str(dtype) for name, dtype in book.dtypes.items()} == analysis.CREDITS_BOOK
    sums = book.groupby("account")["credits"].cumsum()
    assert sums.tolist() == pytest.approx(book["available"].tolist(), abs=1e-6)
    assert book["total"].tolist() == pytest.approx((book["available"] + book["on_hold"]).tolist())
    for service in services:
        mine = of(book, service)
        balances = mine[mine["kind"] == "balance"]
        assert balances["available"].tolist() == service.told
        assert (balances["credits"] == 0).all()
        # An unexplained row stands right before a balance, and only where there is something to explain.
        surprises = mine.index[mine["kind"] == "unexplained"]
        assert set(surprises + 1) <= set(balances.index)
        assert (mine.loc[surprises, "credits"] != 0).all()
    return book


class Unheard(ServiceInfo):
    """The same, where what a task became is heard of later, if at all; so is that it was made, where that says so."""

    def __init__(self, past: History) -> None:
        super().__init__(past)
        self.news: list[Callable[[float], object]] = []

    def move(self, at: float, what: str, cap: int, part: float) -> None:
        if what == "answer" and self.open:
            task_id, cap = self.open.popitem()
            used = round(cap * part, 2)
            self.news.append(lambda seen: self.past.answer(task_id, used, seen))
            self.available, self.on_hold = round(self.available + cap - used, 2), self.on_hold - cap
        elif what == "hear":
            while self.news:
                self.news.pop(0)(at)
        else:
            super().move(at, what, cap, part)


LATE = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 900), st.just(0.0)),
        st.tuples(st.just("answer"), st.just(0), st.floats(0, 1)),
        st.tuples(st.sampled_from(("look", "hear")), st.just(0), st.just(0.0)),
        st.tuples(st.just("elsewhere"), st.just(0), AMOUNTS.map(lambda amount: amount - 450)),
    ),
    max_size=25,
)


def unexplained(book: pd.DataFrame) -> list[float]:
    return book.loc[book["kind"] == "unexplained", "credits"].tolist()


@settings(deadline=None, max_examples=60)
@given(moves=LATE)
def test_late_news_never_leaves_more_unexplained(moves):
    """Whatever comes when: the book still adds up, and in the order of learning no less would be unexplained."""
    store = MemoryStore()
    service = Unheard(History(store))
    for at, move in enumerate([*moves, ("hear", 0, 0.0), ("look", 0, 0.0)]):
        service.move(float(at), *move)
    book = checked(analysis.credits(store, None), [service])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codevf_nb.analysis._book.in_order", lambda rows: rows)
        as_learnt = analysis.credits(store, None)
    store.close()
    assert sum(map(abs, unexplained(book))) <= sum(map(abs, unexplained(as_learnt))) + 1e-6
    assert sum(unexplained(book)) == pytest.approx(sum(unexplained(as_learnt)), abs=1e-6)
    ends = book[book["kind"].isin(["release", "charge"])].groupby("task_id").head(1)
    assert all(book.index[book["task_id"] == task_id][0] < row for row, task_id in ends["task_id"].items())


@settings(deadline=None, max_examples=60)
@given(
    asked=st.lists(st.tuples(st.integers(1, 900), st.floats(0, 1), st.booleans()), min_size=1, max_size=8),
    bought=AMOUNTS,
    looks=st.integers(1, 3),
)
def test_a_night_of_answers_leaves_nothing_unexplained(asked, bought, looks):
    """The kernel was away while tasks ended: the balance is looked at first, and only then they are polled."""
    store = MemoryStore()
    service = Unheard(History(store))
    service.move(0.0, "look", 0, 0.0)
    for cap, _, _ in asked:
        service.move(1.0, "ask", cap, 0.0)
    service.move(2.0, "look", 0, 0.0)
    for _, part, over in reversed(asked):
        if over:
            service.move(3.0, "answer", 0, part)
    service.move(4.0, "elsewhere", 0, bought)
    for at in range(looks):
        service.move(5.0 + at, "look", 0, 0.0)
    service.move(9.0, "hear", 0, 0.0)
    service.move(10.0, "look", 0, 0.0)
    book = checked(analysis.credits(store, None), [service])
    store.close()
    assert unexplained(book) == [1000.0, *([bought] if bought else [])]
    assert book["on_hold"].iloc[-1] == sum(service.open.values())


def test_signs_and_what_is_held(past):
    """A hold takes the worst case, the end gives it back, the charge takes what was used."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.answered(10.0, cap=240, used=100.5)
    book = analysis.credits(past.store, past.account)
    columns = ["kind", "credits", "available", "on_hold", "total"]
    assert book[columns].values.tolist() == [
        ["unexplained", 1000.0, 1000.0, 0.0, 1000.0],
        ["balance", 0.0, 1000.0, 0.0, 1000.0],
        ["hold", -240.0, 760.0, 240.0, 1000.0],
        ["release", 240.0, 1000.0, 0.0, 1000.0],
        ["charge", -100.5, 899.5, 0.0, 899.5],
    ]


def test_what_happened_elsewhere_is_unexplained(past):
    """A balance that differs from what the book explains gets a row before it that makes up for it, either way."""
    for available in (1000.0, 1000.0, 700.0, 1500.0):
        past.ledger.balances.record(available, 0.0, at=0.0)
    book = analysis.credits(past.store, past.account)
    assert book.loc[book["kind"] == "unexplained", "credits"].tolist() == [1000.0, -300.0, 800.0]


def test_an_end_that_a_balance_knew_of_stands_before_it(past):
    """Polled after the balance that knew of it: nothing is unexplained, and its time is still when it was seen."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    task_id = past.ask(10.0, cap=240)
    past.ledger.balances.record(900.0, 0.0, at=20.0)
    past.answer(task_id, 100.0, at=30.0)
    past.ledger.balances.record(900.0, 0.0, at=40.0)
    book = analysis.credits(past.store, past.account)
    assert book[["kind", "credits", "available", "on_hold"]].values.tolist()[2:] == [
        ["hold", -240.0, 760.0, 240.0],
        ["release", 240.0, 1000.0, 0.0],
        ["charge", -100.0, 900.0, 0.0],
        ["balance", 0.0, 900.0, 0.0],
        ["balance", 0.0, 900.0, 0.0],
    ]
    assert book.loc[4, "at"] == pd.Timestamp(30, unit="s", tz="UTC")


def test_a_question_that_a_balance_knew_of_stands_before_it(past):
    """Two kernels: the one hears of its task only after the other has looked; when it was made, the service tells."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.ledger.balances.record(760.0, 240.0, at=20.0)
    past.ask(10.0, cap=240)
    past.ledger.balances.record(760.0, 240.0, at=40.0)
    assert unexplained(analysis.credits(past.store, past.account)) == [1000.0]


def test_what_was_held_elsewhere_is_not_taken_for_a_question_of_ours(past):
    """The balance was told before the task was made, so it can't have known of it, however well the numbers fit."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.ledger.balances.record(760.0, 240.0, at=20.0)
    past.ask(30.0, cap=240)
    assert unexplained(analysis.credits(past.store, past.account)) == [1000.0, -240.0]
    past.ledger.balances.record(520.0, 480.0, at=40.0)
    assert unexplained(analysis.credits(past.store, past.account)) == [1000.0, -240.0]


def test_what_ended_elsewhere_is_not_taken_for_a_task_of_ours(past):
    """As much was released elsewhere before, but the balance after tells that ours was still held."""
    past.ledger.balances.record(1000.0, 240.0, at=0.0)
    task_id = past.ask(10.0, cap=240)
    past.ledger.balances.record(900.0, 240.0, at=20.0)
    past.answer(task_id, 100.0, at=30.0)
    past.ledger.balances.record(1040.0, 0.0, at=40.0)
    book = analysis.credits(past.store, past.account)
    assert unexplained(book) == [1000.0, 140.0]
    assert book["kind"].tolist().index("release") > book["kind"].tolist().index("balance", 3)


def test_a_service_that_tells_nothing_of_holds_has_a_book_all_the_same(past):
    """Where what is on hold is always 0, no movement is moved for its sake."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    task_id = past.ask(10.0, cap=240)
    past.ledger.balances.record(760.0, 0.0, at=20.0)
    past.answer(task_id, 100.0, at=30.0)
    past.ledger.balances.record(900.0, 0.0, at=40.0)
    assert unexplained(analysis.credits(past.store, past.account)) == [1000.0]


def test_since_leaves_rows_out_and_not_their_credits(past):
    """What was available is what was available."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.answered(86400.0, used=100.0)
    late = analysis.credits(past.store, past.account, since="1970-01-02")
    assert late["kind"].tolist() == ["hold", "release", "charge"]
    assert late["available"].tolist() == [760.0, 1000.0, 900.0]


def test_the_newest_balance_of_each_account(past, store):
    """Never one sum of them."""
    box = History(store, "sandbox", "sandbox")
    for at, available in enumerate((5.0, 7.0)):
        past.ledger.balances.record(available, 2.0, float(at))
        box.ledger.balances.record(available * 100, 0.0, float(at))
    table = analysis.balance(store, None)
    assert table[["environment", "available", "total"]].values.tolist() == [
        ["live", 7.0, 9.0],
        ["sandbox", 700.0, 700.0],
    ]
    assert analysis.balance(store, "live-1")["total"].tolist() == [9.0]
