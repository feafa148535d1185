"""``credits()``: an account book whose running sum is what is available, whatever happens elsewhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb import frames
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


class Service:
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
    services = [Service(History(store, *account)) for account in ACCOUNTS]
    for at in range(max(map(len, moves))):
        for service, mine in zip(services, moves, strict=True):
            if at < len(mine):
                service.move(float(at), *mine[at])
    book = frames.credits(store, None)
    store.close()
    assert {name: str(dtype) for name, dtype in book.dtypes.items()} == frames.CREDITS_BOOK
    sums = book.groupby("account")["credits"].cumsum()
    assert sums.tolist() == pytest.approx(book["available"].tolist(), abs=1e-6)
    assert book["total"].tolist() == pytest.approx((book["available"] + book["on_hold"]).tolist())
    for service in services:
        mine = book[book["account"] == service.past.account]
        balances = mine[mine["kind"] == "balance"]
        assert balances["available"].tolist() == service.told
        assert (balances["credits"] == 0).all()
        if service.told:
            assert mine["on_hold"].iloc[-1] == sum(service.open.values())
        # An unexplained row stands right before a balance, and only where there is something to explain.
        surprises = mine.index[mine["kind"] == "unexplained"]
        assert set(surprises + 1) <= set(balances.index)
        assert (mine.loc[surprises, "credits"] != 0).all()


def test_signs_and_what_is_held(past):
    """A hold takes the worst case, the end gives it back, the charge takes what was used."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.answered(10.0, cap=240, used=100.5)
    book = frames.credits(past.store, past.account)
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
    book = frames.credits(past.store, past.account)
    assert book.loc[book["kind"] == "unexplained", "credits"].tolist() == [1000.0, -300.0, 800.0]


def test_since_leaves_rows_out_and_not_their_credits(past):
    """What was available is what was available."""
    past.ledger.balances.record(1000.0, 0.0, at=0.0)
    past.answered(86400.0, used=100.0)
    late = frames.credits(past.store, past.account, since="1970-01-02")
    assert late["kind"].tolist() == ["hold", "release", "charge"]
    assert late["available"].tolist() == [760.0, 1000.0, 900.0]


def test_the_newest_balance_of_each_account(past, store):
    """Never one sum of them."""
    box = History(store, "sandbox", "sandbox")
    for at, available in enumerate((5.0, 7.0)):
        past.ledger.balances.record(available, 2.0, float(at))
        box.ledger.balances.record(available * 100, 0.0, float(at))
    table = frames.balance(store, None)
    assert table[["environment", "available", "total"]].values.tolist() == [
        ["live", 7.0, 9.0],
        ["sandbox", 700.0, 700.0],
    ]
    assert frames.balance(store, "live-1")["total"].tolist() == [9.0]
