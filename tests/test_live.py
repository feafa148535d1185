"""What is on show is updated in place, in a real kernel, and only there."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from IPython.utils.capture import capture_output
from jupyter_client.manager import start_new_kernel

from codevf_nb.accounts import settings
from codevf_nb.ledger import Ledger, Store, sqlite_url
from codevf_nb.sandbox import Sandbox, process
from codevf_nb.widgets.view_registry import WIDGET
from tests.support.kernels import ASK, CONNECT, PRICE, idle, messages, run, said
from tests.waiting import eventually

LOAD = "%load_ext codevf_nb\n%codevf sandbox --answer-after 1 --rate-limit off"
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


@pytest.fixture
def service(kernel) -> Iterator[Callable[..., Sandbox]]:
    """Starts a service with faults, whose log of requests can be read, and makes the kernel use it."""
    started = []

    def start(*faults: str) -> Sandbox:
        started.append(Sandbox(answer_after=1, rate_limit=None, faults=faults).start())
        run(kernel, CONNECT.format(url=started[-1].base_url, key=started[-1].api_key))
        return started[-1]

    yield start
    for box in started:
        box.stop()


def displays(heard: list[tuple[str, dict]]) -> list[tuple[str, str]]:
    """Return the id and the text of each display and update, in order."""
    shown = [content for kind, content in heard if kind in ("display_data", "update_display_data")]
    return [(content["transient"].get("display_id"), content["data"]["text/plain"]) for content in shown]


def created_at(box: Sandbox) -> datetime:
    """When the first question reached the service."""
    return next(at for _, path, _, at in box.requests() if path.endswith("tasks/create"))


def test_the_answer_replaces_the_pending_display_while_a_cell_computes(kernel, tmp_path):
    """The update carries the first display's id, holds the answer, and comes before the busy cell has ended."""
    flag = tmp_path / "flag"
    flag.write_text("go on")
    run(kernel, LOAD)
    asked = run(kernel, ASK)
    (first,) = [content for kind, content in asked if kind == "display_data"]
    assert "pending" in displays(asked)[-1][1]
    kernel.execute(BUSY.format(path=str(flag)))
    answered = said(kernel, lambda kind, content: kind == "update_display_data" and "completed" in str(content))[-1][1]
    assert answered["transient"]["display_id"] == first["transient"]["display_id"]
    assert "is None" in answered["data"]["text/html"]
    flag.write_text("stop")
    said(kernel, idle)


def test_the_display_is_updated_by_the_session_that_takes_over(kernel):
    """The sandbox was stopped and started again, at another address: the question from before is answered in place."""
    run(kernel, LOAD.replace("--answer-after 1", "--answer-after 4"))
    (first,) = [content for kind, content in run(kernel, ASK) if kind == "display_data"]
    run(
        kernel,
        "from codevf_nb.accounts import settings\nfrom codevf_nb.sandbox import process\nprocess.stop(settings.home())",
    )
    run(kernel, "%codevf sandbox")
    answered = said(kernel, lambda kind, content: kind == "update_display_data" and "completed" in str(content))[-1][1]
    assert answered["transient"]["display_id"] == first["transient"]["display_id"]


IN_OUTPUT = """
import ipywidgets
out = ipywidgets.Output()
with out:
    get_ipython().run_cell_magic("codevf", "Is this comparison right?", "x = 1")
"""


def test_within_an_output_widget_the_question_is_shown_by_its_own_widget(kernel):
    """There nothing can be replaced: price and question are shown one after the other, and the latter is live."""
    run(kernel, LOAD.replace("--answer-after 1", "--answer-after 600"))
    shown = [(kind, content) for kind, content in run(kernel, IN_OUTPUT) if "transient" in content]
    assert [kind for kind, _ in shown] == ["display_data"] * 2
    assert "display_id" not in shown[0][1]["transient"]
    assert WIDGET in shown[1][1]["data"]


def test_ctrl_c_while_the_service_makes_them_wait(started):
    """The prompt is back at once with a line on how the question stands, and the cell run again finds the task."""
    manager, client = started
    run(client, f"{LOAD} --fault create:1:delay=8")
    client.execute(ASK)
    store = Store(sqlite_url(settings.home() / "ledger.sqlite"))
    unknown = Ledger(store, "sandbox", "sandbox").questions.with_unknown_outcome
    eventually(unknown, "the question is on its way")
    manager.interrupt_kernel()
    heard = said(client, idle)
    (error,) = [content for kind, content in heard if kind == "error"]
    assert displays(heard)[-1][1].splitlines()[1] == error["evalue"].removeprefix("codevf: ")
    assert error["evalue"].startswith("codevf: stopped while it was being sent, so it may be at the service. Run the")
    assert error["traceback"] == [error["evalue"]]
    # The service still has the first request in hand for a while, and says so.
    eventually(lambda: "display_data" in [kind for kind, _ in run(client, ASK)], "the task is found", seconds=60)
    assert unknown() == []
    store.close()


def test_before_the_kernel_ends_text_takes_the_place_of_every_view(kernel):
    """The last that a kernel says names the open question and how its answer is found, under its display's id."""
    run(kernel, LOAD.replace("--answer-after 1", "--answer-after 600"))
    shown = [content for _, content in run(kernel, ASK) if "transient" in content]
    assert WIDGET in shown[-1]["data"]
    kernel.shutdown()
    last = said(kernel, lambda kind, content: kind == "update_display_data")[-1][1]
    assert last["transient"]["display_id"] == shown[0]["transient"]["display_id"]
    assert set(last["data"]) == {"text/plain", "text/html"}
    assert "pending" in last["data"]["text/plain"]
    assert "Running this cell again finds the answer and costs nothing" in last["data"]["text/plain"]


@pytest.mark.parametrize(("fault", "option"), [("delay=3", ""), ("delay=1", " -w"), ("status=503", " -w")])
def test_the_price_is_shown_before_the_question_leaves(kernel, service, option, fault):
    """The kernel has sent the price with "sending" before the service has the question, however that goes on."""
    box = service(f"create:1:{fault}")
    kernel.execute(ASK.replace("right?", f"right?{option}"))
    first = messages(kernel, lambda kind, _: kind == "display_data")[-1]
    assert first["content"]["data"]["text/plain"].splitlines()[:2] == [PRICE, "… sending"]
    assert first["content"]["transient"]["display_id"].startswith("codevf-")
    eventually(lambda: any(path.endswith("tasks/create") for _, path, _, _ in box.requests()), "the question arrives")
    assert first["header"]["date"] < created_at(box)
    said(kernel, idle)


def test_a_display_goes_from_the_price_to_the_answer_in_place(kernel, service):
    """With -w one display says sending, pending and completed, and the cell ends with its answer."""
    service()
    shown = displays(run(kernel, ASK.replace("right?", "right? -w")))
    assert len({display_id for display_id, _ in shown}) == 1
    states = [text.splitlines()[1] for _, text in shown]
    assert [state.split()[1] for state in (states[0], states[1], states[-1])] == ["sending", "pending", "completed"]
    assert "is None" in shown[-1][1]
    assert all(text.startswith(PRICE) for _, text in shown)
    ((_, again),) = displays(run(kernel, ASK))
    assert "0 credits now" in again, "a repeat is never shown as sending"


def test_the_last_update_of_a_waiting_cell_is_the_cells_own(kernel, service):
    """A program that runs a notebook keeps what has the cell's own message as parent, and drops the rest."""
    service()
    for number in (1, 2):
        sent = kernel.execute(ASK.replace("right?", f"right? Number {number}. -w"), allow_stdin=False)
        own = [one for one in messages(kernel, idle) if one["parent_header"].get("msg_id") == sent]
        assert "completed" in [one for one in own if "transient" in one["content"]][-1]["content"]["data"]["text/plain"]


def test_waiting_by_command_shows_at_once_what_it_waits_for(kernel, service):
    """`%codevf wait` shows the open question with its buttons, then its answer in place, and nothing twice."""
    service()
    run(kernel, ASK)
    heard = run(kernel, "found = %codevf wait\nfound")
    mine = [content for kind, content in heard if kind == "display_data"]
    assert len(mine) == 1
    assert WIDGET in mine[0]["data"]
    assert "pending" in mine[0]["data"]["text/plain"]
    here = [text for place, text in displays(heard) if place == mine[0]["transient"]["display_id"]]
    assert "completed" in here[-1]
    assert "execute_result" not in [kind for kind, _ in heard]
    later = run(kernel, "found")
    assert "completed" in next(content for kind, content in later if kind == "execute_result")["data"]["text/plain"]


def test_on_a_virtual_clock_waiting_shows_one_static_display(kernel):
    """There -w shows one display and no update, so that a committed notebook compares exactly."""
    run(kernel, "%load_ext codevf_nb\n%codevf sandbox --clock virtual")
    kinds = [kind for kind, _ in run(kernel, ASK.replace("right?", "right? -w"))]
    assert kinds.count("display_data") == 1
    assert "update_display_data" not in kinds


REFUSALS = ["status=402", "status=400", "status=401", "status=413"]


def test_a_refused_question_does_not_look_as_if_it_were_sent(kernel, service):
    """The display says that it costs nothing, whatever the refusal, and the error says why; "sending" is gone."""
    box = service(*(f"create:{number}:{fault}" for number, fault in enumerate(REFUSALS, 1)))
    refused = [run(kernel, ASK.replace("right?", f"right? {fault}")) for fault in REFUSALS]
    run(kernel, "%codevf budget 100/day")
    refused.append(run(kernel, ASK))
    for heard in refused:
        (error,) = [content["evalue"] for kind, content in heard if kind == "error"]
        assert displays(heard)[-1][1].splitlines()[:2] == [PRICE, "✕ not asked: costs 0 credits"]
    assert "Nothing was sent." in error
    sent = [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]
    assert len(sent) == len(REFUSALS)


def test_a_terminal_is_told_once(shell, current):
    """Where nothing can be updated, the state is printed once and nothing is ever printed from another thread."""
    with capture_output() as shown:
        shell.run_cell(ASK).raise_error()
        shell.user_ns["_codevf"].wait(timeout=20)
    (display,) = shown.outputs
    assert "pending" in display.data["text/plain"]


def test_a_terminal_prints_the_price_before_the_question_leaves(shell, monkeypatch):
    """Where nothing can be replaced, price, state and answer are printed one after the other."""
    from codevf_nb import kernel as kernels

    with Sandbox(answer_after=1, rate_limit=None) as box:
        url, key = box.base_url, box.api_key
        current = kernels.use(
            settings.Account("sandbox", "sandbox", url, key, "a test", "sandbox", requests_per_second=None)
        )
        at_prepare = []
        prepare = current.client.tasks.prepare
        with capture_output() as shown:
            monkeypatch.setattr(
                current.client.tasks,
                "prepare",
                lambda **body: at_prepare.append(len(shown._outputs)) or prepare(**body),
            )
            shell.run_cell(ASK.replace("right?", "right? -w")).raise_error()
        kernels.forget()
    assert [output.data["text/plain"].splitlines()[1].split()[1] for output in shown.outputs] == [
        "sending",
        "pending",
        "completed",
    ]
    assert at_prepare == [1]
