"""The picker, as a kernel holds it: what is off and why, what it costs, and that it asks once."""

import gc
import threading

import pandas as pd
import pytest

import codevf_nb
from codevf_nb.display import rendering as display
from codevf_nb.sdk.exceptions import ServerError
from codevf_nb.widgets.view_registry import WIDGET
from tests.waiting import eventually
from tests.widgets.conftest import PROMPT, click, done, inside, labelled, widgets_alive, words


def test_it_opens_with_what_is_given(shell, picker):
    """Values given to `picker(...)` are filled in, and the price beside them is that of %%codevf."""
    shell.user_ns["orders"] = pd.DataFrame({"id": range(1204)})
    view = picker(prompt=PROMPT, mode="fast", tag="engineer", max_credits=240, project="shop", attach=["orders"])
    assert labelled(view.root, "Prompt").value == PROMPT
    assert labelled(view.root, "Project").value == "shop"
    assert labelled(view.root, "orders: DataFrame, 1,204 rows × 1 columns").value
    assert "may cost at most 612 credits" in words(view.root)
    assert "orders.csv" in words(view.root)
    assert "an answer within 4 hours" in words(view.root)
    assert not labelled(view.root, "Submit").disabled


def test_the_preview_names_what_could_not_be_looked_into(picker, tmp_path):
    """Before Submit is pressed."""
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1" + bytes(range(256)))
    view = picker(prompt=PROMPT, files=[path])
    assert "not checked for private data: data.parquet (Parquet)" in words(view.root)
    assert not labelled(view.root, "Submit").disabled


@pytest.mark.parametrize(
    ("label", "value", "reason"),
    [
        ("Prompt", "", "write what you want to know"),
        ("Prompt", "too short", "10"),
        ("Credits", "", "nobody pays by default"),
        ("Credits", "59", "standard takes 240 to 115,200 credits, not &#x27;59&#x27;"),
        ("Credits", "many", "not &#x27;many&#x27;"),
        ("Schema", "nowhere", "there is no variable &#x27;nowhere&#x27;"),
        ("Credits", "115200", "more than are available"),
    ],
)
def test_submit_is_off_until_all_is_valid_and_says_why(picker, label, value, reason):
    """Each thing that is wrong is told in words, and mending it turns Submit on again."""
    view = picker(prompt=PROMPT)
    control = labelled(view.root, label)
    before, control.value = control.value, value
    done()
    assert labelled(view.root, "Submit").disabled
    assert reason in words(view.root)
    control.value = before
    done()
    assert not labelled(view.root, "Submit").disabled
    assert "Submit is off" not in words(view.root)


def test_the_credits_are_bounded_by_the_mode(picker):
    """What the one mode takes another refuses, in words with its own range."""
    view = picker(prompt=PROMPT, max_credits=1000)
    labelled(view.root, "Mode").value = "realtime_answer"
    done()
    assert "realtime_answer takes 60 to 600 credits" in words(view.root)


def test_a_budget_is_kept(picker, current):
    """What a budget would refuse is told before anything is sent."""
    current.ledger.budgets.set("100/day")
    view = picker(prompt=PROMPT)
    assert labelled(view.root, "Submit").disabled
    assert "it may cost 240 credits, and 100 of 100 credits per day are left" in words(view.root)


def test_submitting_shows_the_progress_and_then_the_answer_in_its_place(shell, picker, page):
    """The form becomes the progress, and the display itself becomes the static answer, which is no widget."""
    view = picker(prompt=PROMPT)
    click(view.root, "Submit")
    task = shell.user_ns["_codevf"]
    assert task.status in {"pending", "processing", "completed"}
    assert labelled(view.root, "Cancel") is not None
    task.wait(20)
    eventually(lambda: "completed" in words(view.root), "the panel has heard of it")
    assert not [widget for widget in inside(view.root) if getattr(widget, "description", "") == "Submit"]


def test_two_clicks_ask_once(picker, box, current):
    """A double click, and a click while the first one is still at work, are one question."""
    view = picker(prompt=PROMPT)
    submit = labelled(view.root, "Submit")
    for _ in range(5):
        submit.click()
    done()
    submit.click()
    done()
    assert len(current.ledger.questions.latest()) == 1


def test_the_price_stands_though_the_balance_is_not_known(picker, current, box):
    """What it may cost is known without the service; Submit is off, and says why."""
    box.add_fault("balance:1-99:status=500")
    current.client._transport.sleep = lambda _: None
    view = picker(prompt=PROMPT)
    assert "may cost at most 240 credits" in words(view.root)
    assert display.UNKNOWN_BALANCE in words(view.root)
    assert labelled(view.root, "Submit").disabled


def test_what_the_service_refuses_is_told_and_submit_is_on_again(picker, current, monkeypatch):
    """A failure leaves the form as it was, with the reason below it."""
    view = picker(prompt=PROMPT)

    def fails(_draft):
        raise ServerError("the service is down, and nothing was sent.")

    monkeypatch.setattr(current, "ask", fails)
    click(view.root, "Submit")
    assert "the service is down" in words(view.root)
    assert labelled(view.root, "Prompt").value == PROMPT
    assert not labelled(view.root, "Submit").disabled


def test_the_cell_it_gives_asks_the_same(shell, picker, current):
    """Copy as magic gives a cell that, run, finds the question that was submitted here, and pays nothing."""
    shell.user_ns["orders"] = pd.DataFrame({"id": range(10)})
    prompt = 'What\'s wrong -- with this?\n\n  It says --mode is "fast".'
    view = picker(prompt=prompt, mode="fast", tag="engineer", project="a shop", attach=["orders"])
    click(view.root, "Copy as magic")
    cell = labelled(view.root, "As magic").value
    click(view.root, "Submit")
    asked = shell.user_ns["_codevf"]
    shell.run_cell(cell).raise_error()
    again = shell.user_ns["_codevf"]
    assert again.id == asked.id
    assert again.repeated is not None


def test_uploads_go_along_under_their_own_names(shell, picker):
    """A file that a person uploads is sent as it is; a name that no system could store is made safe."""
    view = picker(prompt=PROMPT)
    upload(view.form.upload, "../notes.txt", b"hello")
    assert "_notes.txt: 5 bytes" in words(view.root)
    folder = view.form._folder
    view.close_view()
    assert not folder.exists()


def upload(control, name: str, content: bytes) -> None:
    """Do what the front end does when a person has chosen a file."""
    about = {"name": name, "type": "text/plain", "size": len(content)}
    if isinstance(control.value, dict):
        control.set_state({"metadata": [about], "data": [memoryview(content)], "_counter": control._counter + 1})
    else:
        control.set_state({"value": [{**about, "last_modified": 1, "content": memoryview(content)}]})
    done()


def test_the_bytes_of_an_upload_stay_in_no_trait(picker):
    """The form keeps the file and says so; the control holds nothing that would be saved with the notebook."""
    view = picker(prompt=PROMPT)
    for name, others in (("first.txt", "second.txt"), ("second.txt", "first.txt")):
        upload(view.form.upload, name, b"confidential")
        assert not view.form.upload.value
        assert "confidential" not in str([widget.get_state() for widget in inside(view.form.widget())])
        assert f"uploaded: {name}" in words(view.root)
        assert f"{name}: 12 bytes" in words(view.root), "what would be sent"
        assert f"{others}: 12 bytes" not in words(view.root), "a file takes the place of the one before"
    assert [path.read_bytes() for path in view.form.options().files] == [b"confidential"]


def test_no_trait_holds_the_key(picker, account):
    """Whatever the front end may save, the key is not in it."""
    view = picker(prompt=PROMPT)
    state = str([widget.get_state() for widget in inside(view.root)])
    assert account.api_key.reveal() not in state


def test_a_page_without_widgets_shows_text(shell, current):
    """In a terminal the picker is the cell to write, with the modes and tags there are."""
    text = repr(codevf_nb.picker())
    assert "%%codevf PROMPT --mode MODE" in text
    assert "general" in text.lower()
    assert "realtime_answer" in text


def test_the_display_holds_text_for_every_front_end(picker, page):
    """Beside the widget the display carries text, for pages that know no widgets."""
    picker(prompt=PROMPT)
    assert WIDGET in page.last
    assert "%%codevf" in page.last["text/plain"]
    assert "<table>" in page.last["text/html"]


# The client's, while there was a request within ten seconds, and those of the sandbox that runs in this process.
COME_AND_GO = ("codevf-deadlines", "asyncio_")


def test_running_the_cell_again_lets_go_of_the_picker_before(picker, page, current):
    """200 pickers opened and replaced leave one: no widgets, observers, listeners or threads more than the first."""

    def alive():
        gc.collect()
        threads = [thread.name for thread in threading.enumerate() if not thread.name.startswith(COME_AND_GO)]
        return widgets_alive(), sorted(threads), len(current.watcher._subscriptions.listeners)

    for _ in range(3):
        picker(prompt=PROMPT)
    before = alive()
    for _ in range(197):
        picker()
    assert alive() == before


def test_what_the_picker_attaches_has_the_names_the_magic_gives(shell):
    """So that "Copy as magic" is the same question, and asking it costs nothing more."""
    from codevf_nb.widgets import _attachable_values as attachable_values

    shell.run_cell("1 / 0", silent=True)
    offered = {offer.name: offer.part for offer in attachable_values.offered(shell, {})}
    assert offered["traceback"] == "--traceback"
    shell.run_cell("total = 1", store_history=True)
    assert list(attachable_values.cells(shell, 1)) == ["--context 1"]
