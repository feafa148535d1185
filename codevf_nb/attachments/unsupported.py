"""What can't be attached, in one line: the value, its type, and a way that works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codevf_nb.sdk.exceptions import CodeVFError

from .attachment import AttachmentError, is_a

KINDS = (
    "DataFrames and Series (pandas, polars, pyarrow), numpy arrays, dicts and lists, text, bytes, paths, figures and "
    "images, functions, classes and modules of your own"
)

_LONGEST = 300  # characters of a library's own message

# Library, class, and what makes something attachable of a value called {0}.
_WAYS_OUT = (
    ("polars", "LazyFrame", "{0}.collect()"),
    ("dask", "FrameBase", "{0}.compute()"),
    ("dask", "DataFrame", "{0}.compute()"),
    ("dask", "Series", "{0}.compute()"),
    ("dask", "Array", "{0}.compute()"),
    ("pyspark", "DataFrame", "{0}.limit(10_000).toPandas()"),
    ("pyspark", "Series", "{0}.to_pandas()"),
    ("modin", "BasePandasDataset", "{0}.modin.to_pandas()"),
    ("modin", "DataFrame", "{0}.modin.to_pandas()"),
    ("modin", "Series", "{0}.modin.to_pandas()"),
    ("narwhals", "DataFrame", "{0}.to_native()"),
    ("narwhals", "LazyFrame", "{0}.collect().to_native()"),
    ("narwhals", "Series", "{0}.to_native()"),
    ("cudf", "DataFrame", "{0}.to_pandas()"),
    ("cudf", "Series", "{0}.to_pandas()"),
    ("ibis", "Expr", "{0}.execute()"),
    ("ibis", "Table", "{0}.execute()"),
    ("duckdb", "DuckDBPyRelation", "{0}.df()"),
    ("_duckdb", "DuckDBPyRelation", "{0}.df()"),
    ("snowflake", "DataFrame", "{0}.to_pandas()"),
    ("vaex", "DataFrame", "{0}.to_pandas_df()"),
    ("pandas", "Styler", "{0}.data"),
    ("pandas", "BaseGroupBy", "{0}.obj"),
    ("polars", "GroupBy", "{0}.agg(…)"),
    ("seaborn", "Grid", "{0}.figure"),
    ("seaborn", "ClusterGrid", "{0}.figure"),
    ("plotly", "BaseFigure", "{0}.to_image('png')"),
    ("altair", "TopLevelMixin", "{0}.to_dict()"),
    ("xarray", "Dataset", "{0}.to_dataframe()"),
    ("xarray", "DataArray", "{0}.to_series()"),
    ("scipy", "sparray", "{0}.toarray()"),
    ("scipy", "spmatrix", "{0}.toarray()"),
    ("scipy", "_spbase", "{0}.toarray()"),
    ("torch", "Tensor", "{0}.detach().cpu().numpy()"),
    ("tensorflow", "Tensor", "{0}.numpy()"),
    ("jax", "Array", "numpy.asarray({0})"),
    ("jaxlib", "ArrayImpl", "numpy.asarray({0})"),
)


def way_out(name: str, value: Any) -> str | None:
    """Return the expression to attach in the place of a value, or None where none is known."""
    return next((way.format(name) for library, kind, way in _WAYS_OUT if is_a(value, library, kind)), None)


def type_name(value: Any) -> str:
    """Return the type of a value with its library: ``dask DataFrame``, ``object``."""
    kind = type(value)
    library = kind.__module__.partition(".")[0].lstrip("_")
    return kind.__name__ if library in {"builtins", "__main__"} else f"{library} {kind.__name__}"


def refuse_unsupported(name: str, value: Any) -> None:
    """Refuse a value of a library whose values must be converted first.

    Raises:
        AttachmentError: it is one of those; the message has the expression to attach instead.
    """
    way = way_out(name, value)
    if way is not None:
        lazy = " is lazy and has no rows yet" if is_a(value, "polars", "LazyFrame") else f" is a {type_name(value)}"
        raise AttachmentError(f"{name}{lazy}: attach {way}.")


def unsupported(name: str, value: Any) -> AttachmentError:
    """Return the error for a value of no type that can be attached."""
    return AttachmentError(f"{name} is a {type_name(value)}, so it can't be attached: what can be are {KINDS}.")


@contextmanager
def guarded(name: str, what: str) -> Iterator[None]:
    """Turn whatever goes wrong inside a value's library into one line that names the value and what it is."""
    try:
        yield
    except CodeVFError:
        raise
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        why = why if len(why) <= _LONGEST else f"{why[: _LONGEST - 1]}…"
        raise AttachmentError(
            f"{name} ({what}) can't be written: {why.rstrip('.')}. Attach a part of it, or repr({name})."
        ) from error
