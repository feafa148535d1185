"""Hypothesis strategies of values in tables, and what is sent of a table."""

from hypothesis import strategies as st

from codevf_nb.attachments import gather
from tests.attachments import oracle

EDGES = [0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 1234567890123456789, 2**63 - 1, -(2**63) + 1]


INTS = st.one_of(st.sampled_from(EDGES), st.integers(-(2**63) + 1, 2**63 - 1))


UINTS = st.one_of(st.sampled_from([0, 2**53 + 1, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))


FLOATS = st.one_of(st.sampled_from([0.0, -0.0, 1e308, 5e-324, float("inf"), float("nan"), 0.1, 1e16]), st.floats())


TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "NA", "null", "nan", "007", "1.0", "True", 'a"b', "a,b", "a\nb", "a\rb", "-", "2024-01-01"]
    ),
    st.text(max_size=5),
)


LONE = st.sampled_from(["\ud800", "x\udfffy"])


NESTED = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=6,
)


DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)


def optional(values):
    return st.lists(st.one_of(st.none(), values), min_size=1, max_size=6)


def sent(value) -> tuple[list[list[str | None]], list[tuple[str, str]], str]:
    parts = {part.file_name: part.content.decode() for part in gather(None, {"t": value})}
    rows = oracle.read_csv(parts["t.csv"])
    return rows, oracle.read_profile(parts["profile.md"]), parts["profile.md"]
