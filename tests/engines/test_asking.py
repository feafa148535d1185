"""Asking about tables that live in an engine: what a look costs, what a repeat costs, and what the views show."""

import duckdb
import polars as pl
import pytest

import codevf_nb as cvf
from codevf_nb.attachments import traceback_text
from codevf_nb.questions.options import AskOptions, Defaults
from codevf_nb.sdk.exceptions import BadRequestError
from codevf_nb.widgets import _attachable_values as attachable_values

pytestmark = pytest.mark.engines

PROMPT = "Are these totals plausible, do you think?"


class Counted:
    """A lazy frame of polars that counts how often its rows are computed."""

    def __init__(self) -> None:
        self.scans = 0
        self.frame = pl.LazyFrame({"id": range(100)}).map_batches(self._seen, schema={"id": pl.Int64})

    def _seen(self, frame):
        self.scans += 1
        return frame


@pytest.fixture
def counted():
    return Counted()


def test_a_look_runs_no_query(counted, current):
    """Only asking does, and --profile full says that it may."""
    said = AskOptions(PROMPT, attach={"t": counted.frame})
    current.draft_of(said, Defaults(), is_preview=True)
    assert counted.scans == 0
    current.draft_of(said, Defaults())
    assert counted.scans == 1
    current.draft_of(AskOptions(PROMPT, attach={"t": counted.frame}, profile="full"), Defaults(), is_preview=True)
    assert counted.scans > 1


def test_dry_run_scans_only_with_full(counted, shell, current, capsys):
    """Typed in a cell; the cell says that rows are still to be drawn."""
    shell.user_ns["t"] = counted.frame
    shell.run_cell(f"%%codevf {PROMPT} -a t --dry-run\nx = 1")
    assert counted.scans == 0
    assert "rows are drawn when it is sent" in capsys.readouterr().out
    shell.run_cell(f"%%codevf {PROMPT} -a t --dry-run --profile full\nx = 1")
    assert counted.scans > 0
    assert "100 of 100 rows" in capsys.readouterr().out


def test_the_same_question_is_paid_once_and_a_look_reports_no_change(counted, current):
    """Its rows are no part of what a named table is."""
    first = cvf.ask(PROMPT, attach={"t": counted.frame})
    assert cvf.ask(PROMPT, attach={"t": counted.frame}).id == first.id
    draft = current.draft_of(AskOptions(PROMPT, attach={"t": counted.frame}), Defaults(), is_preview=True)
    assert current.known(draft).task_id == first.id


def test_a_lazy_table_needs_a_name(counted, current):
    """Without one, rows that happen to be drawn otherwise would be another question, and paid."""
    with pytest.raises(BadRequestError, match="needs a name"):
        cvf.ask(PROMPT, attach=[counted.frame])
    assert counted.scans == 0


def test_the_picker_offers_it_and_asks_nothing_of_it(counted, shell):
    """Its line in the picker says that rows are drawn later."""
    shell.user_ns |= {"t": counted.frame, "r": duckdb.sql("select 1 as a")}
    found = {offer.name: offer for offer in attachable_values.offered(shell, {})}
    assert found["t"].is_lazy
    assert found["r"].is_lazy
    assert counted.scans == 0


def test_a_traceback_names_its_columns(counted):
    """Of each lazy table in a frame: columns and types, and no query."""

    def fails(trips):
        return trips.collect_all()

    with pytest.raises(AttributeError) as caught:
        fails(counted.frame)
    assert "`trips`: polars LazyFrame (id Int64)" in traceback_text(caught.value).text
    assert counted.scans == 0
