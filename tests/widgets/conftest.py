"""Views without a browser: what a kernel holds of them, and clicks as the front end sends them."""

from collections.abc import Callable

import pytest

import codevf_nb
from codevf_nb.widgets import view_registry
from codevf_nb.widgets._job_queue import job_queue
from codevf_nb.widgets._picker import Picker


class Page:
    """What a page would show: displays in order, and what replaced them."""

    def __init__(self):
        self.shown: list[tuple[dict, dict]] = []

    def publish(self, bundle, **options):
        self.shown.append((bundle, options))

    @property
    def last(self) -> dict:
        return self.shown[-1][0]


@pytest.fixture
def page(monkeypatch) -> Page:
    """A page with a person in front of it, who runs the cell named `cell`."""
    page = Page()
    page.cell, page.run = "cell", 0

    def parent():
        page.run += 1
        return {
            "content": {"allow_stdin": True},
            "metadata": {"cellId": page.cell},
            "header": {"msg_id": str(page.run)},
        }

    monkeypatch.setattr(view_registry, "_parent", parent)
    monkeypatch.setattr(view_registry, "publish", page.publish)
    return page


def done() -> None:
    """Wait until the desk has nothing left to do."""
    assert job_queue.wait_idle(20), "the desk is still at work"


def inside(root) -> list:
    """Every widget inside a view, the view itself included, in the order in which one goes through them."""
    return [root, *(found for child in getattr(root, "children", ()) for found in inside(child))]


def labelled(root, text: str):
    """The control or button with this label."""
    return next(widget for widget in inside(root) if getattr(widget, "description", None) == text)


def words(root) -> str:
    """All that a view says, as its HTML has it."""
    return "\n".join(widget.value for widget in inside(root) if type(widget).__name__ == "HTML")


def widgets_alive() -> int:
    """How many widgets ipywidgets itself keeps alive."""
    from ipywidgets.widgets import widget

    return len(widget._instances if hasattr(widget, "_instances") else widget.Widget.widgets)


def click(root, text: str) -> None:
    """Click a button, and wait for what comes of it."""
    labelled(root, text).click()
    done()


@pytest.fixture
def settle() -> Callable[[], None]:
    return done


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """Nobody types here, so nothing waits for a pause in typing."""
    for name in ("_picker", "_inbox"):
        monkeypatch.setattr(f"codevf_nb.widgets.{name}.PAUSE_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def quiet_desk():
    """No test leaves anything behind at the desk, nor in cells."""
    yield
    done()
    for view in view_registry._places.all():
        view.close_view()
    view_registry._places._by_cell.clear()
    assert job_queue._periodic == []


PROMPT = "Is this join dropping rows?"


@pytest.fixture
def picker(shell, current, page, monkeypatch):
    """Open a picker with what is preset, and return it drawn."""
    made = []
    original = Picker.__init__

    def remember(self, *arguments):
        original(self, *arguments)
        made.append(self)

    monkeypatch.setattr(Picker, "__init__", remember)

    def open_one(**preset):
        codevf_nb.picker(**preset)._ipython_display_()
        done()
        return made[-1]

    return open_one
