"""Which exception is asked about, and what of its cell is sent: in a real IPython shell."""

import threading

import IPython
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.utils.capture import capture_output

from codevf_nb.attachments import AttachmentError, context_of, last_failure
from codevf_nb.attachments._tracebacks import traceback_text


def run(shell, *cells):
    """Run cells as a notebook would, and return the result of the last one with what it printed."""
    for cell in cells:
        with capture_output() as shown:
            result = shell.run_cell(cell, store_history=True)
    return result, shown.stdout + shown.stderr


def text_of(shell):
    return traceback_text(last_failure(shell, allow_earlier=True).error, shell).text


def creates(box):
    return [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]


# -- the exception is the question


def test_another_exception_of_the_same_cell_is_another_question(shell, current, box):
    """The KeyError's answer is none for the ZeroDivisionError; the same exception again is the same question."""
    asked = []
    for d in ("d = {}", "d = {'a': 1, 'b': 0}", "d = {}", "d = {'x': 5}"):
        run(shell, d, "v = d['a'] / d['b']")
        result, shown = run(shell, "%codevf debug -w")
        assert result.success, result.error_in_exec
        asked.append(shell.user_ns["_codevf"].id)
    assert asked[0] == asked[2] == asked[3] != asked[1]
    assert len(creates(box)) == 2
    assert "about KeyError in cell In[11]: v = d['a'] / d['b']" in shown


def test_a_function_of_another_cell_fails_in_two_ways(shell, current, box):
    """What is sent is the function's cell, and its exceptions are two questions."""
    run(shell, "def area(w):\n    return w['x'] * w['y']", "area({'x': 1})")
    run(shell, "%codevf debug -w")
    first = shell.user_ns["_codevf"]
    run(shell, "area({'x': 'a', 'y': 'b'})", "%codevf debug -w")
    second = shell.user_ns["_codevf"]
    assert (first.entry.code, second.entry.code) == ("def area(w):\n    return w['x'] * w['y']",) * 2
    assert first.id != second.id


def test_values_and_addresses_in_a_message_make_no_other_question(shell):
    """The identity has the type and the line alone."""
    identities = set()
    for _ in range(2):
        run(shell, "raise ValueError(f'at {object()}')")
        identities.add(last_failure(shell).identity)
    assert identities == {"ValueError: raise ValueError(f'at {object()}')"}


# -- nothing else has happened since

# IPython 7 ends the traceback of timed code in its magic: which timed cell it was, only the newest one tells.
OLD = IPython.version_info < (8,)

STEPS = {
    "x = 1": "ran",
    "print('a')": "ran",
    "%time y = 2": "ran",
    "1 / 0": "failed",
    "{}['a']": "failed",
    "if True print(1)": "failed",
    "%%time\n[][3]": "failed",
    "%codevf help": "asked",
    "%codevf nosuch": "asked",
    "%%codevf Is this right? --dry_run_\nx = 1": "asked",
    "thread()": "thread",
}
if OLD:
    del STEPS["%time y = 2"]


def thread():
    """End a thread with an exception, as a library's worker does."""

    def work():
        raise OSError("in a thread")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6))
def test_only_an_exception_that_is_still_the_last_thing_is_asked_about(shell, cells):
    """Cells that have run since, or a thread's exception, need ``--last``; cells about questions do not count."""
    shell.user_ns["thread"] = thread
    run(shell, "1 / 0  # so that there is one")
    kinds = ["failed"]
    for cell in cells:
        run(shell, cell)
        kinds.append(STEPS[cell])
    since = kinds[len(kinds) - kinds[::-1].index("failed") :]
    told = ""
    try:
        last_failure(shell)
    except AttachmentError as refused:
        told = str(refused)
    assert bool(told) == bool({"ran", "thread"} & set(since))
    assert "--last" in told or not told
    assert last_failure(shell, allow_earlier=True).error is not None


def test_a_thread_that_fails_after_the_cell_is_noticed(shell):
    """A thread of an earlier cell: no cell has run since, but its traceback is what is on the screen."""
    gate = threading.Event()

    def work():
        gate.wait(10)
        raise OSError("late")

    noticed = threading.excepthook
    worker = threading.Thread(target=work)
    shell.user_ns["worker"] = worker
    run(shell, "worker.start()", "1 / 0")
    assert last_failure(shell).where == "cell In[2]"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codevf_nb.ipython.exceptions.threads._before", lambda _raised: None)
        gate.set()
        worker.join(10)
    with pytest.raises(AttachmentError, match="a thread has raised OSError since"):
        last_failure(shell)
    assert threading.excepthook == noticed


def test_unloading_puts_the_hook_for_threads_back(shell):
    """Nothing of the extension stays behind."""
    hook = threading.excepthook
    shell.extension_manager.unload_extension("codevf_nb")
    assert threading.excepthook != hook
    shell.extension_manager.load_extension("codevf_nb")


def test_nothing_is_sent_about_an_earlier_exception(shell, current, box):
    """``%codevf debug`` and ``--traceback`` refuse alike, and ask with ``--last``."""
    run(shell, "1 / 0", "x = 1")
    for line in ("%codevf debug", "%%codevf Why does this fail? --traceback\nx = 1"):
        result, _ = run(shell, line)
        assert "ZeroDivisionError in cell In[1]: 1 / 0, and one cell has run without one since" in str(
            result.error_in_exec
        )
        assert creates(box) == []
    for number, line in enumerate(("%codevf debug --last", "%%codevf Why does this? --traceback --last\nx = 1"), 1):
        result, shown = run(shell, line)
        assert result.success, result.error_in_exec
        assert "about ZeroDivisionError in cell In[1]: 1 / 0" in shown
        assert len(creates(box)) == number


def test_last_goes_with_an_exception(shell, current, box):
    """Alone it says nothing, so it is refused."""
    result, _ = run(shell, "%%codevf Is this right, really? --last\nx = 1")
    assert "--last goes with --traceback" in str(result.error_in_exec)
    assert creates(box) == []


# -- cells as they were typed

TYPED = {
    "%%time\ntotal = 0\n1 / total": "1 / total",
    "%%time\n\n\n1 / 0": "1 / 0",
    "x = 5\n!true\n1 / 0": "1 / 0",
    "%time 1 / 0": "%time 1 / 0",
    "%matplotlib_nosuch = 3\n1": "",
    "%%capture\n{}['a']": "",
    "%%timeit -n 1 -r 1\n1 / 0": "",
    "values = [1,\n          2]\nvalues[7]": "values[7]",
}


@pytest.mark.parametrize("cell", TYPED)
def test_a_cell_is_sent_as_it_was_typed(shell, current, cell):
    """IPython's transcript (``get_ipython().run_cell_magic``) is nothing that anyone has written."""
    run(shell, cell)
    failure = last_failure(shell)
    assert failure.cell == cell.removeprefix("%%capture\n")
    assert failure.line.strip() == TYPED[cell] or not TYPED[cell]
    text = text_of(shell)
    assert "run_cell_magic" not in text
    assert "get_ipython" not in text
    is_shown = not (OLD and cell.startswith(("%%time\n", "%time")))
    assert not (TYPED[cell] and is_shown) or any(
        line.startswith("-->") and TYPED[cell] in line for line in text.splitlines()
    )


@pytest.mark.parametrize("cell", ["if True print(1)", "x = (1,\n", "def f(:\n    pass", "  x = 1\n y = 2", "'abc"])
def test_a_syntax_error_is_asked_about(shell, current, box, cell):
    """The cell, the line and the caret go; nothing of it was ever run."""
    run(shell, cell)
    result, _ = run(shell, "%codevf debug -w")
    assert result.success, result.error_in_exec
    assert box.tasks()[0]["attachments"][0]["fileName"] == "cell.py"
    assert shell.user_ns["_codevf"].entry.code == cell.rstrip("\n")
    text = text_of(shell)
    assert ("Error:" in text, "site-packages" in text) == (True, False)


def test_the_members_of_a_group_go_along(shell):
    """Groups in groups too, with their frames; a group of hundreds is cut."""
    run(
        shell,
        "def fail(kind):\n    try:\n        raise kind('inside')\n    except kind as error:\n        return error",
        "raise ExceptionGroup('many', [fail(KeyError), ExceptionGroup('in it', [fail(OSError)]), fail(TypeError)])",
    )
    text = text_of(shell)
    for told in ("Exception 1 of 3 in the group", "KeyError: 'inside'", "OSError: inside", "TypeError: inside"):
        assert told in text
    assert text.count("in fail") == 3
    run(shell, "raise ExceptionGroup('many', [fail(KeyError) for _ in range(400)])")
    assert text_of(shell).count("in fail") == 5


def test_compiled_frames_are_not_the_user_s(shell, tmp_path, monkeypatch):
    """pandas names ``pandas/_libs/index.pyx`` in its frames, which is no file here."""
    monkeypatch.chdir(tmp_path)
    run(shell, "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf['b']")
    text = text_of(shell)
    assert ".pyx" not in text
    assert last_failure(shell).line == "df['b']"


# -- cells before


@pytest.mark.parametrize("wrap", ["%%time\n", "%%capture\n", "%%time\n%%capture\n", ""])
def test_the_asking_cell_is_no_context(shell, wrap):
    """Whatever magic the cell that asks begins with."""
    shell.user_ns.update(context_of=context_of, shell=shell)
    run(shell, "a = 1", "b = 2", f"{wrap}told = context_of(shell, 5).text")
    assert shell.user_ns["told"] == "# In[1]\na = 1\n\n# In[2]\nb = 2\n"
