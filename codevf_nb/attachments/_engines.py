"""Tables in an engine. Each engine samples its table by its own means; the table is never read completely.

An engine has three operations: return the table without rows, return a random sample of at most n rows with a fixed
seed, and return the rows whose keys are in a list. The result is a polars, Arrow or pandas frame, which is then read
like any other table. A library is never imported unless the value belongs to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from codevf_nb.attachments.attachment import AttachmentError

if TYPE_CHECKING:
    import numpy as np

SEED = 20260101
# Temporary columns for sampling.
_CHANCE, _ROW = "codevf_chance", "codevf_row"

Keys = Mapping[str, Sequence[Any]]  # the requested values, by column


def _unused(columns: Iterable[object], *names: str) -> list[str]:
    """Return names for columns to add. A name that a column already has, in any case, gets a suffix."""
    used = {str(column).casefold() for column in columns}
    return [
        next(free for count in itertools.count() if (free := name + "_" * count).casefold() not in used)
        for name in names
    ]


class Lookup(Protocol):
    """A table in which rows can be found by their keys, in an engine or in memory."""

    def matching(self, keys: Keys, rows: int) -> tuple[Any, np.ndarray[Any, Any] | None]:
        """Return at most ``rows`` rows that have one of the requested values in each key column.

        Also return their positions in the table, if the table has an order.
        """

    def present(self, keys: Keys) -> Any:
        """Return the distinct keys of all rows that match."""


class Engine(Lookup, Protocol):
    """The operations of an engine on one table."""

    def empty(self) -> Any:
        """Return the table without its rows."""

    def drawn(self, rows: int) -> tuple[Any, np.ndarray[Any, Any] | None]:
        """Return a random sample, and the positions of its rows in the table if the table has an order."""


class Polars:
    """A polars LazyFrame. The sample has the smallest hashes of row numbers, so every row is equally likely."""

    def __init__(self, value: Any) -> None:
        self._frame = value

    def empty(self) -> Any:
        import polars as pl

        return pl.DataFrame(schema=self._frame.collect_schema())

    def drawn(self, rows: int) -> tuple[Any, Any]:
        import polars as pl

        row, chance = _unused(self._frame.collect_schema(), _ROW, _CHANCE)
        numbered = self._frame.with_row_index(row).with_columns(pl.col(row).hash(SEED).alias(chance))
        found = _collected(numbered.bottom_k(rows, by=chance)).sort(row)
        return found.drop(row, chance), found[row].to_numpy().astype("int64")

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        (row,) = _unused(self._frame.collect_schema(), _ROW)
        found = _collected(self._among(keys, self._frame.with_row_index(row)).head(rows))
        return found.drop(row), found[row].to_numpy().astype("int64")

    def present(self, keys: Keys) -> Any:
        return _collected(self._among(keys, self._frame).select(list(keys)).unique())

    def _among(self, keys: Keys, found: Any) -> Any:
        import polars as pl

        schema = self._frame.collect_schema()
        for column, values in keys.items():
            found = found.filter(pl.col(column).is_in(pl.Series(values, dtype=schema[column], strict=False).implode()))
        return found


def _collected(query: Any) -> Any:
    return query.collect(engine="streaming")


class DuckDB:
    """A DuckDB relation."""

    def __init__(self, value: Any) -> None:
        self._relation = value

    def empty(self) -> Any:
        return self._relation.limit(0).to_arrow_table()

    def drawn(self, rows: int) -> tuple[Any, None]:
        query = f"SELECT * FROM codevf_table USING SAMPLE reservoir({rows} ROWS) REPEATABLE ({SEED})"  # noqa: S608 - the query contains two numbers from this module
        return self._relation.query("codevf_table", query).to_arrow_table(), None

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        return self._among(keys).limit(rows).to_arrow_table(), None

    def present(self, keys: Keys) -> Any:
        import duckdb

        return self._among(keys).select(*map(duckdb.ColumnExpression, keys)).distinct().to_arrow_table()

    def _among(self, keys: Keys) -> Any:
        import duckdb

        found = self._relation
        for column, values in keys.items():
            found = found.filter(duckdb.ColumnExpression(column).isin(*map(duckdb.ConstantExpression, values)))
        return found


class Dask:
    """A Dask DataFrame. Each partition gives its rows random numbers by its own seed; the smallest ones are sampled."""

    def __init__(self, value: Any) -> None:
        self._frame = value

    def empty(self) -> Any:
        return self._frame._meta  # noqa: SLF001 - the only name that Dask has for its schema

    def drawn(self, rows: int) -> tuple[Any, None]:
        (name,) = _unused(self._frame.columns, _CHANCE)
        numbered = self._frame.map_partitions(_with_chance, name, meta=_with_chance(self.empty(), name))
        return numbered.nsmallest(rows, name).compute().drop(columns=name), None

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        parts = self._among(keys).map_partitions(lambda part: part.head(rows), meta=self.empty())
        return parts.head(rows, npartitions=-1, compute=True), None

    def present(self, keys: Keys) -> Any:
        return self._among(keys)[list(keys)].drop_duplicates().compute()

    def _among(self, keys: Keys) -> Any:
        found = self._frame
        for column, values in keys.items():
            found = found[found[column].isin(list(values))]
        return found


def _with_chance(part: Any, name: str, partition_info: Any = None) -> Any:
    import numpy as np

    number = partition_info["number"] if partition_info else 0
    return part.assign(**{name: np.random.default_rng([SEED, number]).random(len(part))})


class Spark:
    """A Spark DataFrame, classic or Spark Connect."""

    def __init__(self, value: Any) -> None:
        self._frame = value.to_spark() if type(value).__module__.startswith("pyspark.pandas") else value
        if not hasattr(self._frame, "toArrow"):
            raise AttachmentError(
                "Spark before version 4 can't export a table exactly: attach a part of it, .toPandas()."
            )

    def empty(self) -> Any:
        return self._frame.limit(0).toArrow()

    def drawn(self, rows: int) -> tuple[Any, None]:
        from pyspark.sql import functions

        (name,) = _unused(self._frame.columns, _CHANCE)
        chance = self._frame.withColumn(name, functions.rand(SEED))
        return chance.orderBy(name).limit(rows).drop(name).toArrow(), None

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        return self._among(keys).limit(rows).toArrow(), None

    def present(self, keys: Keys) -> Any:
        return self._among(keys).select(*map(_quoted, keys)).distinct().toArrow()

    def _among(self, keys: Keys) -> Any:
        from pyspark.sql import functions

        found = self._frame
        for column, values in keys.items():
            found = found.filter(functions.col(_quoted(column)).isin(list(values)))
        return found


def _quoted(column: str) -> str:
    return f"`{column.replace('`', '``')}`"


class Ibis:
    """An Ibis table expression. Ibis samples a fraction of the rows, so the rows are counted first."""

    def __init__(self, value: Any) -> None:
        self._table = value

    def empty(self) -> Any:
        return self._table.schema().to_pyarrow().empty_table()

    def drawn(self, rows: int) -> tuple[Any, None]:
        whole = int(self._table.count().execute())
        if whole <= rows:
            return self._table.limit(rows).to_pyarrow(), None
        return self._table.sample(0.97 * rows / whole, method="row", seed=SEED).limit(rows - 1).to_pyarrow(), None

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        return self._among(keys).limit(rows).to_pyarrow(), None

    def present(self, keys: Keys) -> Any:
        return self._among(keys).select(*keys).distinct().to_pyarrow()

    def _among(self, keys: Keys) -> Any:
        found = self._table
        for column, values in keys.items():
            found = found.filter(found[column].isin(list(values)))
        return found


class Modin:
    """A Modin DataFrame, which knows its length and selects rows by position."""

    def __init__(self, value: Any) -> None:
        self._frame = value

    def empty(self) -> Any:
        return self._frame.iloc[:0].modin.to_pandas()

    def drawn(self, rows: int) -> tuple[Any, Any]:
        from codevf_nb.attachments._sampling import evenly

        positions = evenly(len(self._frame), rows)
        return self._frame.iloc[positions].modin.to_pandas(), positions

    def matching(self, keys: Keys, rows: int) -> tuple[Any, Any]:
        import numpy as np

        positions = np.flatnonzero(self._is_among(keys))[:rows]
        return self._frame.iloc[positions].modin.to_pandas(), positions

    def present(self, keys: Keys) -> Any:
        return self._frame[self._is_among(keys)][list(keys)].drop_duplicates().modin.to_pandas()

    def _is_among(self, keys: Keys) -> Any:
        """Return which rows have one of the requested values in each key column."""
        import numpy as np

        found = [self._frame[column].isin(list(values)).to_numpy() for column, values in keys.items()]
        return np.logical_and.reduce(found)
