"""Tables that live in an engine: each engine × {single, two related tables, masks, empty, wide, nested}, really run."""

from __future__ import annotations

import datetime as dt
import io
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from codevf_nb.attachments import AttachmentError, Depth, _engines, gather
from codevf_nb.attachments.registry import is_lazy
from tests.engines.making import MAKERS, written

# Engines warn about themselves: Modin where it goes by way of pandas, Ibis about DuckDB's newest names.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]

ROWS = 60_000
BIG = 2**60 + 1


@pytest.fixture(params=MAKERS, scope="module")
def make(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)

    def made(table: pa.Table):
        return MAKERS[request.param](written(folder, table))

    made.engine = request.param
    return made


def trips(rows: int = ROWS) -> pa.Table:
    numbers = np.arange(rows)
    return pa.table(
        {
            "id": pa.array(numbers + BIG),
            "fare": pa.array([None if number % 10 == 3 else number / 8 for number in range(rows)], pa.float64()),
            "city": pa.array([("Graz", "Linz", None)[number % 3] for number in range(rows)]),
            "day": pa.array([dt.date(2026, 1, 1) + dt.timedelta(int(number % 300)) for number in numbers]),
            "paid": pa.array((numbers % 2).astype(bool)),
        }
    )


def sent(values: dict, **options) -> dict[str, str]:
    parts = gather(options.pop("code", None), values, **options)
    return {part.file_name: part.content.decode() for part in parts}


def frame(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str)


def test_rows_are_drawn_by_a_seed_and_are_rows_of_the_table(make):
    """The sample is within its budget, the same one twice, spread over the whole, and each cell is exact."""
    lazy, whole = make(trips()), trips().to_pandas(types_mapper=pd.ArrowDtype)
    assert is_lazy(lazy)
    files = sent({"trips": lazy}, max_bytes=100_000)
    assert len(files["trips.csv"].encode()) <= 100_000
    assert files == sent({"trips": lazy}, max_bytes=100_000)
    rows = frame(files["trips.csv"])
    assert len(rows) > 1000
    numbers = np.array([int(text) - BIG for text in rows["id"]])
    assert len(set(numbers)) == len(numbers)
    assert 0.45 < numbers.mean() / ROWS < 0.55
    right = whole.iloc[numbers].reset_index(drop=True)
    assert (rows["fare"].astype(float).fillna(-1) == right["fare"].astype(float).fillna(-1)).all()
    assert (rows["city"].fillna("") == right["city"].fillna("").astype(str)).all()
    assert (rows["day"].str[:10] == right["day"].astype(str).str[:10]).all()
    if "row" in rows:
        assert (rows["row"].astype(int) == numbers).all()
    assert "unknown number" in files["profile.md"] or "60,000 rows" in files["profile.md"]


def test_a_small_table_goes_whole(make):
    """What fits is no sample, and its figures are of all rows."""
    files = sent({"trips": make(trips(30))})
    assert sorted(int(text) for text in frame(files["trips.csv"])["id"]) == [BIG + number for number in range(30)]
    assert "all 30 rows" in files["profile.md"]
    assert "*" not in files["profile.md"]


def test_the_full_profile_is_what_is_true_of_the_whole(make):
    """Rows, nulls, distinct values and extremes are those of an oracle over all rows."""
    profile = sent({"trips": make(trips())}, max_bytes=50_000, depth=Depth.FULL)["profile.md"]
    assert "60,000 rows" in profile
    missing = {"dask": "quartiles, extremes of Date", "modin": "extremes of String"}.get(make.engine)
    assert (f"since {make.engine} can't be asked for it: {missing}." in profile) == (missing is not None)
    cells = {
        line.split(" | ")[0].lstrip("| "): line.split(" | ") for line in profile.splitlines() if line.startswith("| ")
    }
    assert cells["id"][2:4] == ["0", "60,000"]
    assert cells["id"][4] == f"{BIG} … {BIG + ROWS - 1}"
    assert cells["fare"][2:4] == ["6,000", "54,000"]
    assert cells["fare"][4] == f"0.0 … {(ROWS - 1) / 8}"
    assert cells["city"][2:4] == ["20,000", "2"]
    assert cells["city"][4] == ("" if make.engine == "modin" else "Graz … Linz")
    assert not re.search(r"\de\+", cells["id"][5])
    assert cells["day"][3] == "300" or make.engine == "modin"
    assert cells["day"][4].startswith("2026-01-01" if make.engine not in ("dask", "modin") else "2026-01")
    if make.engine == "dask":
        assert cells["fare"][5].endswith("*")
        return
    quartile = float(cells["fare"][5].split(", ")[1])
    assert abs(quartile - ROWS / 16) < ROWS / 16 * 0.02


def test_without_full_nothing_is_said_of_the_whole(make):
    """Figures of a sample are marked, each of them."""
    profile = sent({"trips": make(trips())}, max_bytes=50_000)["profile.md"]
    for line in profile.splitlines():
        if line.startswith(("| id", "| fare", "| city")):
            assert re.search(r"\| [\d,]+[^|]*\* \|", line), line


def related() -> tuple[pa.Table, pa.Table]:
    """Orders of which a fifth has no customer, and customers of which a third has no order."""
    orders = np.arange(ROWS)
    return (
        pa.table({"order_id": orders, "customer_id": pa.array((orders * 7919) % 12_500)}),
        pa.table(
            {"customer_id": np.arange(10_000) + np.where(np.arange(10_000) % 3 == 0, 50_000, 0), "n": range(10_000)}
        ),
    )


@pytest.mark.parametrize("mixed", ["both", "orders in memory", "customers in memory"])
def test_related_tables_are_drawn_by_the_same_keys(make, mixed):
    """A join of what is sent keeps and loses what the join of the whole tables does, about."""
    orders, customers = related()
    left = orders.to_pandas() if mixed == "orders in memory" else make(orders)
    right = customers.to_pandas() if mixed == "customers in memory" else make(customers)
    code = 'orders.merge(customers, on="customer_id")'
    files = sent({"orders": left, "customers": right}, code=code, max_bytes=40_000)
    some, others = frame(files["orders.csv"]), frame(files["customers.csv"])
    assert len(some) > 200
    assert len(others) > 200
    whole = orders.to_pandas()["customer_id"].isin(customers.to_pandas()["customer_id"]).mean()
    kept = some["customer_id"].isin(others["customer_id"]).mean()
    assert abs(kept - whole) < 0.06, (kept, whole)
    true = customers.to_pandas()["customer_id"].isin(orders.to_pandas()["customer_id"]).mean()
    found = others["customer_id"].isin(some["customer_id"]).mean()
    assert abs(found - true) < 0.08, (found, true)
    assert "no match" in files["profile.md"]


def test_masks_hide_a_column_and_keep_the_join(make):
    """A masked key is the same mask in both tables, and no value of it is in any file."""
    table = pa.table({"name": [f"person{n}" for n in range(500)], "n": range(500)})
    files = sent({"a": make(table), "b": make(table)}, redact=["name"], depth=Depth.FULL)
    assert not re.search(r"person\d", "".join(files.values()))
    assert set(frame(files["a.csv"])["name"]) == set(frame(files["b.csv"])["name"])


def test_an_empty_table_is_its_header(make):
    """No rows are no error, with the types in the profile."""
    for depth in Depth:
        files = sent({"trips": make(trips(0))}, depth=depth)
        assert files["trips.csv"].splitlines()[0].split(",")[-5:] == ["id", "fare", "city", "day", "paid"]
        assert len(files["trips.csv"].splitlines()) == 1


def test_a_wide_table_is_within_its_budget(make):
    """Three hundred columns."""
    wide = pa.table({f"c{number}": np.arange(3_000) + number for number in range(300)})
    files = sent({"wide": make(wide)}, max_bytes=100_000)
    rows = frame(files["wide.csv"])
    assert len(files["wide.csv"].encode()) <= 100_000
    assert len(rows) > 20
    assert (rows["c299"].astype(int) - rows["c0"].astype(int) == 299).all()


def test_nested_cells_are_whole(make):
    """Lists and structs arrive as JSON, and are no keys."""
    nested = pa.table({"id": range(50), "tags": [[n, n + 1] for n in range(50)], "at": [{"x": n} for n in range(50)]})
    for depth in (Depth.SAMPLE, Depth.FULL):
        rows = frame(sent({"nested": make(nested)}, depth=depth)["nested.csv"])
        by_id = rows.set_index("id")
        assert by_id.loc["7", "tags"] in ("[7, 8]", "[7,8]")
        assert '"x": 7' in by_id.loc["7", "at"].replace('":7', '": 7')


def test_a_look_reads_no_rows(make):
    """A dry run knows the columns and their types, and says that rows are still to be drawn."""
    parts = gather(None, {"trips": make(trips())}, depth=Depth.SCHEMA)
    files = {part.file_name: part for part in parts}
    assert files["trips.csv"].content.decode().splitlines()[0].split(",")[-5:] == ["id", "fare", "city", "day", "paid"]
    assert len(files["trips.csv"].content.splitlines()) == 1
    assert files["trips.csv"].record()["unread"]
    assert "rows are drawn when the question is sent" in files["profile.md"].content.decode()


def test_inside_a_dict_it_is_refused_with_the_way_out(make):
    """One line that names what to attach."""
    with pytest.raises(AttachmentError, match=r"[Aa]ttach"):
        gather(None, {"d": {"inner": make(trips(5))}})


def test_the_bench_of_engines_is_measured():
    """Each row of it, with little, has numbers that can have been measured."""
    from tests.bench.engines import rows

    found = list(rows(small=True))
    assert len(found) == 4
    assert all(row.is_measured for row in found)


INTERNAL = [
    value
    for name, value in vars(_engines).items()
    if isinstance(value, str) and value.isidentifier() and not name.startswith("__")
]
NAMES = [*INTERNAL, *map(str.upper, INTERNAL), *(f"{name}_" for name in INTERNAL)]
NAMES += ["codevf_table", "rows", "nulls_0", "distinct_1", "least_2", "index", "level_0", "row", "select", "a b", 'x"y']
NAMES += ["x`y", "x.y"]


def test_a_column_may_have_any_name(make):
    """Also those that are used here for a moment, in any case of letters: all columns arrive, each with its values."""
    distinct = {name.casefold(): name for name in reversed(NAMES)}  # most engines take no two that differ in case only
    for names in (list(distinct.values()), [name.upper() for name in distinct]):
        table = pa.table({name: np.arange(3_000) + 10_000 * place for place, name in enumerate(names)})
        for depth in (Depth.SAMPLE, Depth.FULL):
            files = sent({"t": make(table)}, max_bytes=60_000, depth=depth)
            rows = frame(files["t.csv"])
            found = rows.iloc[:, -len(names) :].astype(int)  # labels of rows come before
            assert len(rows) > 50
            assert (found.sub(found.iloc[:, 0], axis=0) == 10_000 * np.arange(len(names))).all(axis=None)


def test_composite_keys_are_looked_up_together(make):
    """Of two columns that are a key only together, rows match where both do; what is lost is in its proportion."""
    numbers = np.arange(ROWS)
    left = pa.table({"store_id": numbers % 100, "day_no": (numbers // 100) % 150, "sold": numbers})
    stores, days = np.meshgrid(np.arange(100), np.arange(150), indexing="ij")
    there = ((stores * 7 + days) % 3 > 0).ravel()  # a third of the pairs has no row; each store and each day has some
    right = pa.table({"store_id": stores.ravel()[there], "day_no": days.ravel()[there], "staff": range(there.sum())})
    code = 'sales.merge(visits, on=["store_id", "day_no"])'
    files = sent({"sales": make(left), "visits": make(right)}, code=code, max_bytes=60_000)
    assert "sales.store_id + day_no and visits.store_id + day_no" in files["profile.md"]
    sales, visits = frame(files["sales.csv"]), frame(files["visits.csv"])
    assert min(len(sales), len(visits)) > 100
    pairs = set(zip(visits["store_id"], visits["day_no"], strict=True))
    kept = np.mean([pair in pairs for pair in zip(sales["store_id"], sales["day_no"], strict=True)])
    assert abs(kept - there.mean()) < 0.07
    found = set(zip(sales["store_id"], sales["day_no"], strict=True))
    assert np.mean([pair in found for pair in pairs]) > 0.9  # every visit has a sale in the whole tables


@pytest.mark.parametrize("is_first", [True, False])
def test_a_partner_with_an_index_is_sent_as_it_is(make, is_first):
    """A frame in memory that is drawn by the keys of a lazy table keeps its index and its columns apart."""
    orders, customers = related()
    whole = customers.to_pandas().set_axis([f"c{number}" for number in range(10_000)]).rename_axis("code")
    values = {"orders": make(orders), "customers": whole}
    files = sent(values if is_first else dict(reversed(values.items())), max_bytes=60_000)
    rows = frame(files["customers.csv"]).astype({"customer_id": int, "n": int})
    assert 50 < len(rows) < 10_000
    assert (rows.set_index("code") == whole.loc[rows["code"]]).all(axis=None)
