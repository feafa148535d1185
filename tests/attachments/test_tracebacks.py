"""The last exception and the cells before, in a real IPython shell."""

import re

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

from codevf_nb.attachments import (
    AttachmentError,
    context_of,
    gather,
    last_failure,
)
from codevf_nb.attachments._tracebacks import traceback_text


def traceback_of(shell):
    return traceback_text(last_failure(shell).error, shell)


def run(shell, *cells):
    for cell in cells:
        with capture_output():
            shell.run_cell(cell, store_history=True)


def test_a_traceback_shows_ones_own_frames_and_shapes(shell):
    """Cells with their source lines, the shapes and dtypes of tables there, and never a value; pandas is counted."""
    shell.user_ns["df"] = pd.DataFrame({"total": [98765, 2], "city": ["Ulm", "Rom"]})
    run(shell, "def total(orders):\n    note = 'private'\n\n\n\n    return orders['totl'].sum()", "total(df)")
    text = traceback_of(shell).text
    assert "KeyError: 'totl'" in text
    assert "-->    6     return orders['totl'].sum()" in text
    assert "In[1], line 6, in total" in text
    assert "In[2], line 1" in text
    assert re.search(r"`orders`: DataFrame 2 × 2 \(total int64, city (str|object)\)", text)
    assert "frames in pandas" in text
    assert not re.search("98765|Ulm|Rom|private|site-packages", text)


def test_an_error_of_our_own_does_not_hide_the_one_before(shell):
    """A slip in the line after the magic leaves the exception that is asked about."""
    run(shell, "1 / 0", "%%codevf Why? --again nonsense\nx = 1", "%codevf nosuch")
    assert "ZeroDivisionError" in traceback_of(shell).text


def test_without_an_exception_there_is_nothing_to_attach(shell, monkeypatch):
    """It is said in one line."""
    monkeypatch.delattr("sys.last_value", raising=False)
    with pytest.raises(AttachmentError, match="no exception has been raised yet"):
        traceback_of(shell)


def test_a_syntax_error_and_a_chain_are_told(shell):
    """A chain shows what an exception came from; a SyntaxError names no folder of this machine."""
    run(shell, "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error")
    text = traceback_of(shell).text
    assert text.index("ValueError: b") < text.index("It was raised from this one") < text.index("KeyError: 'a'")
    with pytest.raises(SyntaxError) as caught:
        compile("x =", "/home/anna/notebook.py", "exec")
    told = traceback_text(caught.value).text
    assert 'File "anna/notebook.py", line 1' in told
    assert "/home" not in told.partition("##")[0]


def test_context_is_the_cells_that_ran_before(shell):
    """Oldest first, without the cell that asks and without cells that only talk to this extension."""
    run(shell, "a = 1", "%codevf help", "b = 2", "c = 3", "%%codevf Why? --run\nd = 4")
    assert context_of(shell, 2).text == "# In[3]\nb = 2\n\n# In[4]\nc = 3\n"
    with pytest.raises(AttachmentError, match="--context 0: the number of cells must be 1"):
        context_of(shell, 0)


def test_of_a_cell_that_asked_only_what_it_ran_counts(shell):
    """`--run` executes it, so it is part of what happened."""
    shell.history_manager.input_hist_raw[:] = [
        "",
        "%%codevf Why? --run\nx = 1",
        "%%codevf Why?\ny = 2",
        "%%codevf Why?",
    ]
    assert context_of(shell, 5).text == "# In[1]\nx = 1\n"


def test_a_class_of_a_cell_goes_as_its_source(shell):
    """`inspect` finds no file for it; the cell does."""
    run(shell, "def half(x):\n    return x / 2\n\nclass Plan:\n    size: int = 1\n\nz = 1")
    parts = gather(None, {name: shell.user_ns[name] for name in ("half", "Plan")})
    assert [part.content.decode() for part in parts] == [
        "def half(x):\n    return x / 2\n",
        "class Plan:\n    size: int = 1\n",
    ]
