"""What changed in the attachments since a question was asked."""

import pytest

from codevf_nb.attachments import Attachment
from codevf_nb.ledger import Change
from codevf_nb.ledger.changes import changes


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
    assert changes(then, now) == told
