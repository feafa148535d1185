"""The inbox, as far as the kernel makes it."""

from collections.abc import Callable, Iterator

from codevf_nb.session import Session
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._inbox import Inbox
from tests.bench.ledgers import session
from tests.bench.pairs import account, in_turn
from tests.bench.table import Row, at_most


def rows(*, small: bool) -> Iterator[Row]:
    """From asking for the view until what its page draws first is there: the widget and its text."""
    many = 1000 if small else 100_000
    large, little = session(many, account()), session(25, account())
    ours, reference = in_turn(3 if small else 25, painting(large), painting(little))
    yield at_most(1.5, f"inbox with {many:,} tasks to first paint (kernel side)", ours, reference, "with 25 tasks")
    large.close()
    little.close()


def painting(current: Session) -> Callable[[], None]:
    def paint() -> None:
        view = Inbox(current)
        view_registry.bundle(view)
        view.close_view()

    return paint
