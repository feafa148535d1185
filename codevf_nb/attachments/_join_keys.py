"""Find the key columns of a join of two tables: from the cell's code, or else from the column names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codevf_nb.attachments._join_code import INDEX, Join
from codevf_nb.attachments._key_hashes import NoKeyError, hashed
from codevf_nb.attachments._sampling import Sample
from codevf_nb.attachments.attachment import is_a

if TYPE_CHECKING:
    import pandas as pd

_KEY_NAME = re.compile(r"(?:^|[_ ])(?i:id|key|code|uuid|guid|sku|ean|isin|number|no|nr)s?$|[a-z](?:Id|ID|Key|Code)$")
_FOREIGN = re.compile(r"^(?P<table>.+?)(?:[_ ](?P<key>(?i:id|key|code|uuid|guid|pk))|(?P<camel>Id|ID|Key|Code))$")
_OWN = {"id", "_id", "pk", "key", "uuid", "guid", "index", "code", "row"}  # common names of a table's own primary key


@dataclass(frozen=True)
class Pair:
    """The key columns of two tables, in the same order."""

    first: tuple[str, ...]
    second: tuple[str, ...]

    def swapped(self) -> Pair:
        """Return the pair with the two tables exchanged."""
        return Pair(self.second, self.first)


def key_pairs(
    first: Sample, second: Sample, joins: Sequence[Join], attached: Sequence[Sample]
) -> tuple[list[Pair], list[str]]:
    """Return the key columns of two tables, the likeliest pair first, and remarks on columns that can't be keys."""
    known = {_root(sample) for sample in attached}
    spelled = [pair for join in joins for pair in _keys_from_code(first, second, join, known)]
    found, remarks = [], []
    for pair in dict.fromkeys(spelled or _keys_from_names(first, second)):
        why = _type_conflict(first, second, pair)
        if why is None:
            found.append(pair)
        elif why:
            remarks.append(why)
    return found, remarks


# -- from the cell's code


def _keys_from_code(first: Sample, second: Sample, join: Join, known: set[str]) -> list[Pair]:
    """Return the keys of a join of two tables. One side may be an unattached variable that derives from the other."""
    one, two = _root(first), _root(second)
    left, right = (name if name in known else None for name in ((join.left or "").lower(), (join.right or "").lower()))
    found = []
    if (left, right) in {(one, two), (one, None), (None, two)}:
        found.append((join.left_on, join.right_on))
    if (left, right) in {(two, one), (two, None), (None, one)}:
        found.append((join.right_on, join.left_on))
    pairs = [(_existing_columns(first, here), _existing_columns(second, there)) for here, there in found]
    return [Pair(here, there) for here, there in pairs if here and there and len(here) == len(there)]


def _root(sample: Sample) -> str:
    match = re.match(r"\w+", sample.table.name)
    return match.group().lower() if match else sample.table.name.lower()


def _existing_columns(sample: Sample, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns named by a join as the table has them; empty if the table lacks one."""
    table = sample.table
    found: list[str] = []
    for column in columns:
        if column == INDEX:
            found += table.header[: table.levels]
        elif column in table.header:
            found.append(column)
        elif table.levels == 1 and len(columns) == 1:  # pandas joins a column on the other table's index
            found.append(table.header[0])
        else:
            return ()
    return tuple(found)


# -- from column names


def _keys_from_names(first: Sample, second: Sample) -> list[Pair]:
    foreign = [*_foreign(first, second), *(pair.swapped() for pair in _foreign(second, first))]
    has_foreign = any(_is_foreign(name) for sample in (first, second) for name in sample.table.header)
    shared: dict[str, tuple[int, int]] = {}
    for name in first.table.header:
        if name not in second.raw or (name.lower() in _OWN and (foreign or has_foreign or name == "index")):
            continue
        one, two = first.raw[name], second.raw[name]
        rank = 2 * bool(_KEY_NAME.search(name)) + (_is_unique(one) or _is_unique(two))
        if rank:
            shared[name] = (rank, min(_distinct(one), _distinct(two)))
    singles = sorted(shared, key=lambda name: shared[name], reverse=True)
    named = [name for name in first.table.header if shared.get(name, (0, 0))[0] >= 2]
    composite = [Pair(tuple(named), tuple(named))] if _is_composite(first, second, named) else []
    return [*foreign, *composite, *(Pair((name,), (name,)) for name in singles)]


def _is_foreign(name: str) -> bool:
    match = _FOREIGN.match(name)
    return match is not None and name.lower() not in _OWN


def _foreign(first: Sample, second: Sample) -> list[Pair]:
    """Return columns of the first table that are named after the second: ``customer_id`` for ``customers.id``."""
    found = []
    for name in first.table.header:
        match = _FOREIGN.match(name)
        if match is None or not _is_called(_root(second), match["table"]):
            continue
        key = (match["key"] or match["camel"] or "").lower()
        own = next((column for column in second.table.header if column.lower() in {key, f"_{key}"}), None)
        if own is not None:
            found.append(Pair((name,), (own,)))
    return found


def _is_called(table: str, name: str) -> bool:
    """Whether a table has this name, in the singular or the plural, possibly with words before or after it."""
    name = name.lower()
    plurals = {name, f"{name}s", f"{name}es", f"{name[:-1]}ies"}
    return table in plurals or any(part in plurals for part in table.split("_"))


def _is_composite(first: Sample, second: Sample, names: list[str]) -> bool:
    """Whether several shared keys are unique only together: each row of one table has its own combination."""
    if len(names) < 2:
        return False
    for sample in (first, second):
        try:
            numbers, _ = hashed([sample.raw[name] for name in names])
        except NoKeyError:
            return False
        if len(set(numbers.tolist())) == len(numbers) > 1 and not any(_is_unique(sample.raw[name]) for name in names):
            return True
    return False


def _is_unique(column: pd.Series[Any]) -> bool:
    from pandas.api import types

    return not types.is_float_dtype(column.dtype) and len(column) > 1 and _distinct(column) == len(column)


def _distinct(column: pd.Series[Any]) -> int:
    try:
        numbers, missing = hashed([column])
    except NoKeyError:
        return 0
    return len(set(numbers[~missing].tolist()))


# -- types


def _type_conflict(first: Sample, second: Sample, pair: Pair) -> str | None:
    """Return why two columns can't be join keys: None if they can, empty if the reason needs no message."""
    for one, two in zip(pair.first, pair.second, strict=True):
        kinds = _kind(first.raw[one]), _kind(second.raw[two])
        if "nested" in kinds:
            return f"{first.table.name}.{one} and {second.table.name}.{two} hold nested values, which are no keys."
        if "" in kinds:
            return ""
        if kinds[0] != kinds[1] and "empty" not in kinds:
            types = [
                sample.table.dtypes[sample.table.header.index(name)] for sample, name in ((first, one), (second, two))
            ]
            return (
                f"{first.table.name}.{one} is {kinds[0]} ({types[0]}) and {second.table.name}.{two} is {kinds[1]} "
                f"({types[1]}): a join on them finds no match, so the tables were not sampled by them."
            )
    return None


def _dtype_of(sample: Sample, name: str) -> str:
    return sample.table.dtypes[sample.table.header.index(name)]


def _kind(column: pd.Series[Any]) -> str:
    """Return the group of types that a column's values can be equal to; empty for booleans, which are never keys."""
    import pandas as pd
    from pandas.api import types

    dtype: Any = column.dtype
    if is_a(dtype, "pandas", "CategoricalDtype"):
        return _kind(pd.Series(dtype.categories))
    if types.is_bool_dtype(dtype):
        return ""
    if types.is_numeric_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "moment with a zone" if getattr(dtype, "tz", None) else "moment"
    if _distinct(column) == 0:
        return "empty" if column.isna().all() else "nested"
    inferred = types.infer_dtype(column, skipna=True)
    return {"string": "text", "integer": "number", "decimal": "number", "floating": "number", "empty": "empty"}.get(
        inferred, inferred
    )
