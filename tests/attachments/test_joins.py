"""Samples of tables that belong together."""

import datetime as dt
import decimal
import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from codevf_nb.attachments._join_code import INDEX, Join, joins_in
from codevf_nb.attachments._key_hashes import hashed


def sent(named: dict, code: str | None = None, **options) -> tuple[dict[str, pd.DataFrame], str]:
    """Return what is sent of tables, by name, and the profile."""
    parts = gather(code, named, **options)
    tables = {part.file_name[:-4]: pd.read_csv(io.BytesIO(part.content)) for part in parts if part.rows}
    return tables, parts[-1].content.decode()


def matched(left: pd.DataFrame, right: pd.DataFrame, key: str) -> set:
    """Return the rows (by their `row`) of a table that a join with another keeps."""
    return set(left.merge(right[[key]].drop_duplicates(), on=key)["row"])


@settings(deadline=None, max_examples=25)
@given(
    keys=st.integers(50, 3000), orders=st.integers(100, 6000), budget=st.integers(2000, 30_000), seed=st.integers(0, 9)
)
def test_a_join_of_samples_keeps_what_a_join_of_the_wholes_keeps(keys, orders, budget, seed):
    """A row that is sent and has a match in the whole other table has it in what is sent of that, both ways."""
    random = np.random.default_rng(seed)
    left = pd.DataFrame({"row": range(orders), "customer_id": random.integers(0, keys, orders)})
    right = pd.DataFrame({"row": range(keys), "customer_id": random.permutation(keys + 20)[:keys], "x": "y" * 9})
    tables, profile = sent({"left": left, "right": right}, max_bytes=budget)
    if "may lose rows" in profile:
        return
    for here, there in (("left", "right"), ("right", "left")):
        whole = {"left": left, "right": right}
        expected = matched(tables[here], whole[there], "customer_id")
        assert matched(tables[here], tables[there], "customer_id") == expected


@settings(deadline=None, max_examples=25)
@given(st.lists(st.none() | st.integers(0, 3), min_size=1), st.lists(st.none() | st.integers(0, 3), min_size=1))
def test_the_profile_says_so_where_libraries_match_nulls_differently(left, right):
    """pandas' merge matches null with null, SQL and polars don't: that is said exactly where both tables have one."""
    tables = {
        name: pd.DataFrame({"customer_id": pd.array([*keys, 7], dtype="Int64"), "x": "y" * 9})
        for name, keys in (("left", left), ("right", right))
    }
    nulls = [frame["customer_id"].isna().any() for frame in tables.values()]
    _, profile = sent(tables)
    assert ("pandas' merge matches nulls with each other" in profile) is bool(all(nulls))


def test_a_star_of_tables_hangs_together():
    """The largest table is drawn evenly, and each of the others by the key it shares with it."""
    n = 50_000
    orders = pd.DataFrame({"row": range(n), "customer_id": np.arange(n) % 9000, "product_id": np.arange(n) % 7001})
    customers = pd.DataFrame({"customer_id": range(9000), "city": "x" * 30})
    products = pd.DataFrame({"product_id": range(100, 7001), "label": "y" * 30})
    tables, profile = sent({"orders": orders, "customers": customers, "products": products}, max_bytes=20_000)
    assert matched(tables["orders"], tables["customers"], "customer_id") == set(tables["orders"]["row"])
    expected = matched(tables["orders"], products, "product_id")
    assert 0 < len(expected) < len(tables["orders"])
    assert matched(tables["orders"], tables["products"], "product_id") == expected
    assert "those whose customer_id occurs in the rows sent of orders" in profile


def test_where_keys_are_shared_by_too_many_rows_both_profiles_say_so():
    """A key of five values can't thin out two long tables: they are drawn evenly, and the engineer is told."""
    first = pd.DataFrame({"row": range(20_000), "region_id": np.arange(20_000) % 5})
    second = pd.DataFrame({"row": range(20_000), "region_id": np.arange(20_000) % 5})
    tables, profile = sent({"first": first, "second": second[["region_id"]]}, max_bytes=5000)
    assert len(tables["first"]) > 300
    told = "share region_id but could not be sampled by the same keys"
    assert profile.count(told) == 2


def test_tables_that_fit_go_whole():
    """Nothing is thinned out where everything fits."""
    orders = pd.DataFrame({"order_id": range(10), "customer_id": range(10)})
    tables, profile = sent({"orders": orders, "customers": pd.DataFrame({"customer_id": range(5, 30)})})
    assert len(tables["orders"]), len(tables["customers"]) == (10, 25)
    assert "sampled" not in profile


def test_a_small_table_goes_by_the_keys_of_a_large_one():
    """Of a list of five regions those go that occur in the sample, which are all."""
    orders = pd.DataFrame({"row": range(50_000), "region_id": np.arange(50_000) % 5})
    tables, _ = sent({"orders": orders, "regions": pd.DataFrame({"region_id": range(5)})}, max_bytes=10_000)
    assert tables["regions"]["region_id"].tolist() == list(range(5))
    assert len(tables["orders"]) > 500


@settings(deadline=None, max_examples=12)
@given(lost=st.floats(0, 0.5), spare=st.floats(0, 0.5), wide=st.sampled_from(["left", "right"]), seed=st.integers(0, 9))
def test_a_sample_loses_what_the_whole_join_loses(lost, spare, wide, seed):
    """Rows without a match go along in their proportion, on both sides, whichever table the sample starts with."""
    random = np.random.default_rng(seed)
    left = pd.DataFrame({"customer_id": random.integers(0, 2000, 20_000), "n": "x"})
    left.loc[random.random(len(left)) < lost, "customer_id"] += 10**6
    right = pd.DataFrame({"customer_id": np.arange(int(2000 * (1 + spare))), "n": "y"})
    (left if wide == "left" else right)["text"] = "z" * 60
    tables, profile = sent({"left": left, "right": right}, max_bytes=60_000)
    for here, there, whole, other in (("left", "right", left, right), ("right", "left", right, left)):
        kept = whole["customer_id"].isin(other["customer_id"])
        share = tables[here]["customer_id"].isin(tables[there]["customer_id"]).mean()
        if wide == here:  # of the table that is drawn evenly, a match of the whole is in what is sent
            expected = tables[here]["customer_id"].isin(other["customer_id"]).mean()
            assert share == expected
        assert abs(share - kept.mean()) < 0.08
        missing = whole["customer_id"][~kept]
        assert f"{len(missing):,} of {len(whole):,} rows of {here} ({missing.nunique():,} of " in profile


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('a.merge(b, on="k")', Join("a", "b", ("k",), ("k",))),
        ('a.merge(b, "left", "k")', Join("a", "b", ("k",), ("k",))),
        ('pd.merge(a, b, on=["k", "l"], how="left")', Join("a", "b", ("k", "l"), ("k", "l"))),
        ('pd.merge(left=a, right=b, left_on="x", right_on="y")', Join("a", "b", ("x",), ("y",))),
        ('a[a.v > 1].merge(b.query("z"), left_on="x", right_on="y")', Join("a", "b", ("x",), ("y",))),
        ('a.merge(b, left_on="x", right_index=True)', Join("a", "b", ("x",), (INDEX,))),
        ("a.join(b)", Join("a", "b", (INDEX,), (INDEX,))),
        ('a.join(b.set_index("id"), on="b_id")', Join("a", "b", ("b_id",), ("id",))),
        ('a.join(b, on="k", how="anti")', Join("a", "b", ("k",), ("k",))),
        ('a.join(b, left_on=pl.col("x"), right_on=[pl.col("y")])', Join("a", "b", ("x",), ("y",))),
        ('pd.merge_asof(a, b, on="t", by="k")', Join("a", "b", ("k", "t"), ("k", "t"))),
        ('m = a.copy()\nm.merge(b, on="k")', Join("a", "b", ("k",), ("k",))),
        ('%time a.merge(c)\na.merge(b, on="k")', Join("a", "b", ("k",), ("k",))),
        ('sql("SELECT * FROM a JOIN b ON a.x = b.y")', Join("a", "b", ("x",), ("y",))),
        (
            'sql("select * from a as o left join b c on o.x = c.y and o.z = c.z")',
            Join("a", "b", ("x", "z"), ("y", "z")),
        ),
        ('sql("SELECT * FROM a JOIN b USING (k, l)")', Join("a", "b", ("k", "l"), ("k", "l"))),
        ("%%sql\nSELECT * FROM a JOIN b ON a.x = b.y", Join("a", "b", ("x",), ("y",))),
    ],
)
def test_the_keys_are_read_from_the_cell(code, expected):
    """In every spelling of pandas, polars and SQL."""
    assert joins_in(code) == [expected]


@pytest.mark.parametrize("code", ["", "x = ", "','.join(names)", "os.path.join(a, 'b')", "a.merge(b)", '"no join"'])
def test_what_is_no_join_is_none(code):
    """A join of texts is none; nor is code that can't be read."""
    assert [join for join in joins_in(code) if join.left_on != (INDEX,)] == []


def shop(n=4000) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(1)
    customers = pd.DataFrame({"id": np.arange(n), "name": [f"n{i}" for i in range(n)]})
    orders = pd.DataFrame({"id": np.arange(5 * n), "customer_id": random.integers(0, n, 5 * n), "total": 1.5})
    return orders, customers


@pytest.mark.parametrize("names", [("orders", "customers"), ("order", "customer"), ("o", "all_customers")])
def test_a_foreign_key_joins_the_tables_own(names):
    """`customer_id` and `customers.id`; never `id` with `id`."""
    orders, customers = shop()
    tables, profile = sent(dict(zip(names, (orders, customers), strict=True)), max_bytes=30_000)
    one, two = (tables[name] for name in names)
    assert one["customer_id"].isin(two["id"]).all()
    assert f"{names[0]}.customer_id and {names[1]}.id" in profile


def test_the_cell_decides_where_names_do_not():
    """Columns of any name, as the cell joins them."""
    orders, customers = shop()
    orders, customers = orders.rename(columns={"customer_id": "buyer"}), customers.rename(columns={"id": "person"})
    named = {"orders": orders, "people": customers}
    tables, _ = sent(named, 'orders.merge(people, left_on="buyer", right_on="person")', max_bytes=30_000)
    assert tables["orders"]["buyer"].isin(tables["people"]["person"]).all()
    _, profile = sent(named, "orders", max_bytes=30_000)
    assert "No key columns were found, in the cell or by name, between orders and people" in profile


@pytest.mark.parametrize("keys", [["store_id", "product_id"], ["product_id", "store_id"]])
def test_several_keys_are_one_in_any_order(keys):
    """A composite key, and columns in any order."""
    random = np.random.default_rng(1)
    sales = pd.DataFrame({"store_id": random.integers(0, 5, 40_000), "product_id": random.integers(0, 900, 40_000)})
    stock = pd.DataFrame(
        {"store_id": np.repeat(np.arange(5), 900), "product_id": np.tile(np.arange(900), 5), "x": "yyyy"}
    )
    tables, _ = sent({"sales": sales[keys], "stock": stock[[*keys, "x"]]}, max_bytes=20_000)
    one, two = (pd.MultiIndex.from_frame(tables[name][keys]) for name in ("sales", "stock"))
    assert one.isin(two).all()


NAMES = np.array([f"c{i}" for i in range(5000)])


@pytest.mark.parametrize(
    "made",
    [
        lambda keys: pd.DataFrame({"customer_id": keys}),
        lambda keys: pd.DataFrame({"customer_id": pd.Categorical(keys)}),
        lambda keys: pd.DataFrame({"customer_id": pd.Series(keys, dtype=object)}),
        lambda keys: pl.DataFrame({"customer_id": keys}),
        lambda keys: pl.DataFrame({"customer_id": pl.Series(keys, dtype=pl.Categorical)}),
        lambda keys: pa.table({"customer_id": pa.array(keys).dictionary_encode()}),
    ],
)
def test_text_and_categories_are_the_same_keys(made):
    """Of every library."""
    keys = np.random.default_rng(0).choice(NAMES, 20_000).tolist()
    named = {"a": made(keys), "b": pd.DataFrame({"customer_id": NAMES, "name": "x" * 20})}
    tables, _ = sent(named, max_bytes=20_000)
    assert tables["a"]["customer_id"].isin(tables["b"]["customer_id"]).all()


@pytest.mark.parametrize(
    "column",
    [
        [{"$oid": str(i)} for i in range(3000)],
        [[i] for i in range(3000)],
        [i if i % 2 else [i] for i in range(3000)],
        pl.Series([{"o": i} for i in range(3000)]),
        pl.Series([[i] for i in range(3000)]),
    ],
)
def test_nested_columns_are_no_keys(column):
    """Such as MongoDB's ids; the tables go, and it is said why they are not linked."""
    made = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
    tables, profile = sent({"a": made({"id": column}), "b": made({"id": column})}, max_bytes=6000)
    assert len(tables["a"]) > 50
    assert "hold nested values, which are no keys" in profile


def test_keys_of_different_types_are_named():
    """The commonest cause of a join that finds nothing."""
    frame = pd.DataFrame({"customer_id": range(3)})
    _, profile = sent({"a": frame, "b": frame.astype(str)})
    assert "a.customer_id is number (int64) and b.customer_id is text" in profile


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=8))
def test_equal_keys_have_equal_numbers(values):
    """Integers of every kind, floats, Decimals, categories and texts, whatever library holds them."""
    plain, _ = hashed([pd.Series(values, dtype=object)])
    assert len(set(plain.tolist())) == len(set(values))
    if max(values) < 2**63:
        for dtype in ("int64", "Int64", "int64[pyarrow]", "category"):
            assert hashed([pd.Series(values).astype(dtype)])[0].tolist() == plain.tolist()
        assert hashed([pd.Series([decimal.Decimal(value) for value in values])])[0].tolist() == plain.tolist()
    exact = [value for value in values if abs(value) < 2**53]
    if exact:
        assert hashed([pd.Series(exact, dtype="float64")])[0].tolist() == hashed([pd.Series(exact)])[0].tolist()


@given(
    st.lists(
        st.datetimes(dt.datetime.fromisoformat("1700-01-01"), dt.datetime.fromisoformat("2200-01-01")),
        min_size=1,
        max_size=5,
    )
)
def test_moments_are_the_same_key_in_every_unit(values):
    """Microseconds and nanoseconds."""
    series = pd.Series(pd.DatetimeIndex(values).as_unit("us"))
    assert hashed([series])[0].tolist() == hashed([series.dt.as_unit("ns")])[0].tolist()


def test_tables_too_large_to_compare_are_estimated(monkeypatch):
    """The keys of an even sample are looked up; rows without a match still go along."""
    monkeypatch.setattr("codevf_nb.attachments._join_matches.KEPT_ROWS", 1000)
    orders, customers = shop()
    orders.loc[::4, "customer_id"] += 10**6
    tables, profile = sent({"orders": orders, "customers": customers.assign(t="z" * 50)}, max_bytes=30_000)
    assert abs(tables["orders"]["customer_id"].isin(tables["customers"]["id"]).mean() - 0.75) < 0.05
    assert "of the 20,000 rows of orders have no match in customers" in profile
    assert "Estimated" in profile
