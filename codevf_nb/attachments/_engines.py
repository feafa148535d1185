"""Tables that live in an engine: each is drawn from by its engine's own means, and never read as a whole.

An engine has three short answers: the table without rows, at most so many rows drawn by a fixed seed, and the rows
whose keys are among some. What comes back is a frame of polars, Arrow or pandas, which is then read as any other table.
The libraries are never imported for a value that isn't theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from codevf_nb.attachments.attachment import AttachmentError

if TYPE_CHECKING:
    import numpy as np

SEED = 20260101
# Columns that are added to draw rows, and dropped again.
_CHANCE, _ROW = "codevf_chance", "codevf_row"

Keys = Mapping[str, Sequence[Any]]  # the values that are asked for, by column


def _unused(columns: Iterable[object], *names: str) -> list[str]:
    """Return names for columns to be added: those asked for, or like them where a column has one, in any case."""
    used, found = {str(column).casefold() for column in columns}, []
    for name in names:
        while name.casefold() in used:
            name += "_"  # noqa: PLW2901 - until it is free
        found.append(name)
    return found


class Lookup(Protocol):
    """Where rows of a table are looked up by their keys: an engine, or memory."""

    def matching(self, keys: Keys, rows: int) -> Any:
        """Return at most so many rows that have, in each of some columns, one of the values asked for."""

    def present(self, keys: Keys) -> Any:
        """Return the different keys of all such rows."""


class Engine(Lookup, Protocol):
    """What is asked of an engine about one table."""

    def empty(self) -> Any:
        """Return the table without its rows."""

    def drawn(self, rows: int) -> tuple[Any, np.ndarray[Any, Any] | None]:
        """Return rows drawn at random, and their numbers in the table, where it has any."""


class Polars:
    """A lazy frame. Rows are those with the least hash of their number, so all have the same chance."""

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

    def matching(self, keys: Keys, rows: int) -> Any:
        return _collected(self._among(keys).head(rows))

    def present(self, keys: Keys) -> Any:
        return _collected(self._among(keys).select(list(keys)).unique())

    def _among(self, keys: Keys) -> Any:
        import polars as pl

        schema, found = self._frame.collect_schema(), self._frame
        for column, values in keys.items():
            found = found.filter(pl.col(column).is_in(pl.Series(values, dtype=schema[column], strict=False).implode()))
        return found


def _collected(query: Any) -> Any:
    return query.collect(engine="streaming")


class DuckDB:
    """A relation of DuckDB."""

    def __init__(self, value: Any) -> None:
        self._relation = value

    def empty(self) -> Any:
        return self._relation.limit(0).to_arrow_table()

    def drawn(self, rows: int) -> tuple[Any, None]:
        query = f"SELECT * FROM codevf_table USING SAMPLE reservoir({rows} ROWS) REPEATABLE ({SEED})"  # noqa: S608 - two numbers of ours
        return self._relation.query("codevf_table", query).to_arrow_table(), None

    def matching(self, keys: Keys, rows: int) -> Any:
        return self._among(keys).limit(rows).to_arrow_table()

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
    """A frame of Dask's. Each partition draws by its number, and the least of all are taken, as in one query."""

    def __init__(self, value: Any) -> None:
        self._frame = value

    def empty(self) -> Any:
        return self._frame._meta  # noqa: SLF001 - Dask's own name for it

    def drawn(self, rows: int) -> tuple[Any, None]:
        (name,) = _unused(self._frame.columns, _CHANCE)
        numbered = self._frame.map_partitions(_with_chance, name, meta=_with_chance(self.empty(), name))
        return numbered.nsmallest(rows, name).compute().drop(columns=name), None

    def matching(self, keys: Keys, rows: int) -> Any:
        parts = self._among(keys).map_partitions(lambda part: part.head(rows), meta=self.empty())
        return parts.head(rows, npartitions=-1, compute=True)

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
    """A DataFrame of Spark, classic or by Connect."""

    def __init__(self, value: Any) -> None:
        self._frame = value.to_spark() if type(value).__module__.startswith("pyspark.pandas") else value
        if not hasattr(self._frame, "toArrow"):
            raise AttachmentError("Spark before 4 can't hand over a table exactly: attach a part of it, .toPandas().")

    def empty(self) -> Any:
        return self._frame.limit(0).toArrow()

    def drawn(self, rows: int) -> tuple[Any, None]:
        from pyspark.sql import functions

        (name,) = _unused(self._frame.columns, _CHANCE)
        chance = self._frame.withColumn(name, functions.rand(SEED))
        return chance.orderBy(name).limit(rows).drop(name).toArrow(), None

    def matching(self, keys: Keys, rows: int) -> Any:
        return self._among(keys).limit(rows).toArrow()

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
    """A table expression of Ibis. Its sample is a share of the rows, so these are counted first."""

    def __init__(self, value: Any) -> None:
        self._table = value

    def empty(self) -> Any:
        return self._table.schema().to_pyarrow().empty_table()

    def drawn(self, rows: int) -> tuple[Any, None]:
        whole = int(self._table.count().execute())
        if whole <= rows:
            return self._table.limit(rows).to_pyarrow(), None
        return self._table.sample(0.97 * rows / whole, method="row", seed=SEED).limit(rows - 1).to_pyarrow(), None

    def matching(self, keys: Keys, rows: int) -> Any:
        return self._among(keys).limit(rows).to_pyarrow()

    def present(self, keys: Keys) -> Any:
        return self._among(keys).select(*keys).distinct().to_pyarrow()

    def _among(self, keys: Keys) -> Any:
        found = self._table
        for column, values in keys.items():
            found = found.filter(found[column].isin(list(values)))
        return found


class Modin:
    """A DataFrame of Modin's, which knows its length and its rows by position."""

    def __init__(self, value: Any) -> None:
        self._frame = value

    def empty(self) -> Any:
        return self._frame.iloc[:0].modin.to_pandas()

    def drawn(self, rows: int) -> tuple[Any, Any]:
        from codevf_nb.attachments._sampling import evenly

        positions = evenly(len(self._frame), rows)
        return self._frame.iloc[positions].modin.to_pandas(), positions

    def matching(self, keys: Keys, rows: int) -> Any:
        return self._among(keys).iloc[:rows].modin.to_pandas()

    def present(self, keys: Keys) -> Any:
        return self._among(keys)[list(keys)].drop_duplicates().modin.to_pandas()

    def _among(self, keys: Keys) -> Any:
        found = self._frame
        for column, values in keys.items():
            found = found[found[column].isin(list(values))]
        return found
