"""Samples of tables that belong together."""

import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather


def sent(named: dict, **options) -> tuple[dict[str, pd.DataFrame], str]:
    """Return what is sent of tables, by name, and the profile."""
    parts = gather(None, named, **options)
    tables = {part.file_name[:-4]: pd.read_csv(io.BytesIO(part.content)) for part in parts if part.rows}
    return tables, parts[-1].content.decode()


def matched(left: pd.DataFrame, right: pd.DataFrame, key: str) -> set:
    """Return the rows (by their `row`) of a table that a join with another keeps."""
    return set(left.merge(right[[key]].drop_duplicates(), on=key)["row"])


@settings(deadline=None, max_examples=40)
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
