"""What is on show is updated in place, in a real kernel, and only there."""

import os
from collections.abc import Iterator

import pytest
from IPython.utils.capture import capture_output
from jupyter_client.manager import start_new_kernel

from codevf_nb import settings
from codevf_nb.ledger import Ledger, Store, sqlite_url
from codevf_nb.sandbox import process
from codevf_nb.widgets.stage import WIDGET
from tests.waiting import eventually

LOAD = "%load_ext codevf_nb\n%codevf sandbox --answer-after 1 --rate-limit off"
ASK = "%%codevf Is this comparison right?\nif total == None:\n    total = 0"
BUSY = """
import time
ends = time.monotonic() + 30
while time.monotonic() < ends and 'stop' not in open({path!r}).read():
    sum(range(1000))
"""


@pytest.fixture
def started() -> Iterator:
    """A kernel of its own in a process of its own, with who can interrupt it and who talks to it."""
    manager, client = start_new_kernel(
        kernel_name="python3", env=dict(os.environ), extra_arguments=["--IPKernelApp.log_level=ERROR"]
    )
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    process.stop(settings.home())


@pytest.fixture
def kernel(started):
    """What the kernel says on iopub can be read."""
    return started[1]


def said(client, until) -> list[tuple[str, dict]]:
    """Return the kernel's messages up to the first for which ``until`` is true."""
    heard = []
    while True:
        message = client.get_iopub_msg(timeout=30)
        heard.append((message["msg_type"], message["content"]))
        if until(*heard[-1]):
            return heard


def idle(kind: str, content: dict) -> bool:
    return kind == "status" and content["execution_state"] == "idle"


def run(client, cell: str) -> list[tuple[str, dict]]:
    client.execute(cell)
    return said(client, idle)


def test_the_answer_replaces_the_pending_display_while_a_cell_computes(kernel, tmp_path):
    """The update carries the first display's id, holds the answer, and comes before the busy cell has ended."""
    flag = tmp_path / "flag"
    flag.write_text("go on")
    run(kernel, LOAD)
    shown = [content for kind, content in run(kernel, ASK) if kind == "display_data"]
    (first,) = shown
    assert "pending" in first["data"]["text/plain"]
    kernel.execute(BUSY.format(path=str(flag)))
    answered = said(kernel, lambda kind, content: kind == "update_display_data" and "completed" in str(content))[-1][1]
    assert answered["transient"]["display_id"] == first["transient"]["display_id"]
    assert "is None" in answered["data"]["text/html"]
    flag.write_text("stop")
    said(kernel, idle)


def test_ctrl_c_while_the_service_makes_them_wait(started):
    """The prompt is back at once with a line on how the question stands, and the cell run again finds the task."""
    manager, client = started
    run(client, f"{LOAD} --fault create:1:delay=8")
    client.execute(ASK)
    store = Store(sqlite_url(settings.home() / "ledger.sqlite"))
    unheard = Ledger(store, "sandbox", "sandbox").questions.unsettled
    eventually(unheard, "the question is on its way")
    manager.interrupt_kernel()
    (error,) = [content for kind, content in said(client, idle) if kind == "error"]
    assert error["evalue"].startswith("codevf: stopped while it was being sent, so it may be at the service. Run the")
    assert error["traceback"] == [error["evalue"]]
    # The service still has the first request in hand for a while, and says so.
    eventually(lambda: "display_data" in [kind for kind, _ in run(client, ASK)], "the task is found", seconds=60)
    assert unheard() == []
    store.close()


def test_before_the_kernel_ends_text_takes_the_place_of_every_view(kernel):
    """The last that a kernel says names the open question and how its answer is found, under its display's id."""
    run(kernel, LOAD.replace("--answer-after 1", "--answer-after 600"))
    shown = [content for kind, content in run(kernel, ASK) if kind == "display_data"]
    assert WIDGET in shown[0]["data"]
    kernel.shutdown()
    last = said(kernel, lambda kind, content: kind == "update_display_data")[-1][1]
    assert last["transient"]["display_id"] == shown[0]["transient"]["display_id"]
    assert set(last["data"]) == {"text/plain", "text/html"}
    assert "pending" in last["data"]["text/plain"]
    assert "Running this cell again finds the answer and costs nothing" in last["data"]["text/plain"]


def test_waiting_shows_one_static_display(kernel):
    """With -w there is one display and no update, so that a committed notebook compares exactly."""
    run(kernel, LOAD)
    kinds = [kind for kind, _ in run(kernel, ASK.replace("right?", "right? -w"))]
    assert kinds.count("display_data") == 1
    assert "update_display_data" not in kinds


def test_a_terminal_is_told_once(shell, current):
    """Where nothing can be updated, the state is printed once and nothing is ever printed from another thread."""
    with capture_output() as shown:
        shell.run_cell(ASK).raise_error()
        shell.user_ns["_codevf"].wait(timeout=20)
    (display,) = shown.outputs
    assert "pending" in display.data["text/plain"]
