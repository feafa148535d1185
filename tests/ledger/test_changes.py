"""What changed in the attachments since a question was asked."""

import pytest

from codevf_nb.attachments import Attachment
from codevf_nb.ledger import Change
from codevf_nb.ledger._digests import Digests, forgotten
from codevf_nb.ledger.changes import changes

HOME = Digests(b"this home")


def table(rows: int, content: bytes, name: str = "orders.csv") -> dict:
    return Attachment(name, content, rows=(min(rows, 1000), rows)).record()


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ([table(1204, b"a")], [table(1204, b"a")], ()),
        ([table(1204, b"a")], [table(1311, b"b")], (Change("orders", (1204, 1311)),)),
        ([table(1204, b"a")], [table(1204, b"b")], (Change("orders"),)),
        ([Attachment("notes.txt", b"a").record()], [Attachment("notes.txt", b"b").record()], (Change("notes.txt"),)),
        ([table(5, b"a"), table(2, b"p", "profile.md")], [table(5, b"a"), table(2, b"q", "profile.md")], ()),
        ([table(5, b"a")], [table(5, b"a"), table(7, b"c", "customers.csv")], ()),
    ],
    ids=["same", "more rows", "other bytes", "a file", "the profile alone", "one that was not there"],
)
def test_what_changed_in_the_attachments(then, now, told):
    """Rows where their number differs, else just that it changed; the profile says nothing of its own."""
    kept, here = HOME.manifest(then), HOME.manifest(now)
    assert changes(kept, here) == told
    assert [one.rows for one in changes(forgotten(kept), here)] == [one.rows for one in told]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (table(1204, b"ab"), ()),
        (table(1204, b"cd"), ()),  # nobody here can tell, and telling nothing pays for nothing
        (table(1311, b"ab"), (Change("orders", (1204, 1311)),)),
        (table(1204, b"abc"), (Change("orders"),)),
    ],
    ids=["same", "as large", "more rows", "larger"],
)
def test_hashes_of_another_home_are_not_compared(now, told):
    """Under another secret the same bytes have another hash: size and rows tell, and nothing else."""
    assert changes(Digests(b"another home").manifest([table(1204, b"ab")]), HOME.manifest([now])) == told


def test_what_is_keyed_stays_as_it_is():
    """A hash that is keyed already is another home's, or has been through it: it is not keyed a second time."""
    once = HOME.manifest([table(5, b"a"), {"name": "a plan", "size": 3}])
    assert HOME.manifest(once) == Digests(b"another home").manifest(once) == once
