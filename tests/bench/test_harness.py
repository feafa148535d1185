"""The harness of the measurements works. No time is asserted: on a shared machine one says nothing."""

import re

from tests.bench import __main__ as bench
from tests.bench.table import COLUMNS

# What the table speaks of, in its order; a row that begins with … goes on with the one above.
WHAT = (
    r"%load_ext codevf_nb",
    r"%load_ext codevf_nb",
    r"one GET",
    r"one POST",
    r"%%codevf from Enter",
    r"… its question alone",
    r"attachment from",
    r"… extra memory",
    r"attachment from 1 row",
    *(rf"attachment from 50 rows × 1,000 columns of {library}" for library in ("pandas", "polars", "Arrow")),
    r"tasks\(\) of",
    r"spend\(by=",
    r"ledger write path",
    r"%codevf forget",
    *(r"watcher, \d+ open", r"… \d+: mean delay", r"… \d+: requests", r"… \d+: requests") * 2,
    r"limiter: ",
    r"sandbox: requests/s",
    r"inbox with",
    r"kernel with the extension",
    r"… flat",
)


def test_every_row_is_measured(capsys):
    """At its smallest size the harness prints every row of the table, each with numbers that can have been measured."""
    found = []
    for row in bench.measured(small=True):
        assert row.is_measured, row
        found.append(row)
    assert len(found) == len(WHAT)
    for row, what in zip(found, WHAT, strict=True):
        assert re.match(what, row.what), row
        assert ("  – " in str(row)) == ("for scale" in row.goal)
        assert ("  met " in str(row)) + ("  missed " in str(row)) == (row.met is not None)


def test_a_name_measures_that_group_alone(capsys):
    """Each group can be measured by itself; the table has a head, and the status is 0 whatever was missed."""
    bench.main(["--small", "ledger"])
    head, row, _, end = capsys.readouterr().out.splitlines()
    assert head.split() == " ".join(COLUMNS).split()
    assert row.startswith("ledger write path of one question")
    assert re.fullmatch(r"\d met, \d missed, in \d+ s", end)
