"""The types of tables that can be attached, and the conversions of types that can't.

Each type has one row, which ``-a``, the picker, ``--traceback`` and error messages use. A type is recognized by the
names of its class and its library, so no library is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from codevf_nb.attachments.attachment import is_a


@dataclass(frozen=True)
class AttachableType:
    """A class of a library.

    Attributes:
        library: The name of the library.
        name: The name of the class.
        read: The module and the function of this package that read it.
        engine: The class in ``_engines`` for a table in an engine.
        way: The expression to attach instead of a value named {0} if it can't be attached unchanged (for example, a
            table of an engine inside a dict).
        offered: Whether the picker lists variables of this type.
    """

    library: str
    name: str
    read: tuple[str, str] | None = None
    engine: str = ""
    conversion: str = ""
    offered: bool = False

    def is_of(self, value: Any) -> bool:
        """Whether a value is of this type."""
        return is_a(value, self.library, self.name)


TYPES = (
    AttachableType("pandas", "DataFrame", ("_pandas_tables", "from_frame"), offered=True),
    AttachableType("pandas", "Series", ("_pandas_tables", "from_series"), offered=True),
    AttachableType("pandas", "Index", ("_pandas_tables", "from_index")),
    AttachableType("pandas", "ExtensionArray", ("_pandas_tables", "from_extension_array")),
    AttachableType("polars", "DataFrame", ("_polars_tables", "from_polars"), offered=True),
    AttachableType("polars", "Series", ("_polars_tables", "from_polars"), offered=True),
    AttachableType("pyarrow", "Table", ("_arrow_tables", "from_arrow"), offered=True),
    AttachableType("pyarrow", "RecordBatch", ("_arrow_tables", "from_arrow")),
    AttachableType("pyarrow", "ChunkedArray", ("_arrow_tables", "from_arrow_array")),
    AttachableType("pyarrow", "Array", ("_arrow_tables", "from_arrow_array")),
    AttachableType("numpy", "ndarray", ("_array_tables", "from_array")),
    AttachableType("polars", "LazyFrame", engine="Polars", conversion="{0}.collect()", offered=True),
    AttachableType("duckdb", "DuckDBPyRelation", engine="DuckDB", conversion="{0}.df()", offered=True),
    AttachableType("_duckdb", "DuckDBPyRelation", engine="DuckDB", conversion="{0}.df()", offered=True),
    AttachableType("dask", "DataFrame", engine="Dask", conversion="{0}.compute()", offered=True),
    AttachableType("pyspark", "DataFrame", engine="Spark", conversion="{0}.limit(10_000).toPandas()", offered=True),
    AttachableType("ibis", "Table", engine="Ibis", conversion="{0}.execute()", offered=True),
    AttachableType("modin", "DataFrame", engine="Modin", conversion="{0}.modin.to_pandas()", offered=True),
    AttachableType("dask", "FrameBase", conversion="{0}.compute()"),
    AttachableType("dask", "Series", conversion="{0}.compute()"),
    AttachableType("dask", "Array", conversion="{0}.compute()"),
    AttachableType("pyspark", "Series", conversion="{0}.to_pandas()"),
    AttachableType("modin", "BasePandasDataset", conversion="{0}.modin.to_pandas()"),
    AttachableType("modin", "Series", conversion="{0}.modin.to_pandas()"),
    AttachableType("narwhals", "DataFrame", conversion="{0}.to_native()"),
    AttachableType("narwhals", "LazyFrame", conversion="{0}.to_native()"),
    AttachableType("narwhals", "Series", conversion="{0}.to_native()"),
    AttachableType("cudf", "DataFrame", conversion="{0}.to_pandas()"),
    AttachableType("cudf", "Series", conversion="{0}.to_pandas()"),
    AttachableType("ibis", "Expr", conversion="{0}.execute()"),
    AttachableType("snowflake", "DataFrame", conversion="{0}.to_pandas()"),
    AttachableType("vaex", "DataFrame", conversion="{0}.to_pandas_df()"),
    AttachableType("pandas", "Styler", conversion="{0}.data"),
    AttachableType("pandas", "BaseGroupBy", conversion="{0}.obj"),
    AttachableType("polars", "GroupBy", conversion="{0}.agg(…)"),
    AttachableType("seaborn", "Grid", conversion="{0}.figure"),
    AttachableType("seaborn", "ClusterGrid", conversion="{0}.figure"),
    AttachableType("plotly", "BaseFigure", conversion="{0}.to_image('png')"),
    AttachableType("altair", "TopLevelMixin", conversion="{0}.to_dict()"),
    AttachableType("xarray", "Dataset", conversion="{0}.to_dataframe()"),
    AttachableType("xarray", "DataArray", conversion="{0}.to_series()"),
    AttachableType("scipy", "sparray", conversion="{0}.toarray()"),
    AttachableType("scipy", "spmatrix", conversion="{0}.toarray()"),
    AttachableType("scipy", "_spbase", conversion="{0}.toarray()"),
    AttachableType("torch", "Tensor", conversion="{0}.detach().cpu().numpy()"),
    AttachableType("tensorflow", "Tensor", conversion="{0}.numpy()"),
    AttachableType("jax", "Array", conversion="numpy.asarray({0})"),
    AttachableType("jaxlib", "ArrayImpl", conversion="numpy.asarray({0})"),
)


def type_of(value: Any) -> AttachableType | None:
    """Return the row of a value's type, or None if it has none."""
    return next((row for row in TYPES if row.is_of(value)), None)


def is_lazy(value: Any) -> bool:
    """Whether a value is a table in an engine.

    Args:
        value: Any value.

    Returns:
        True for a table whose rows an engine holds, such as DuckDB or a polars LazyFrame.
    """
    row = type_of(value)
    return row is not None and bool(row.engine)


def libraries() -> tuple[str, str]:
    """Return the names of the libraries whose tables are read directly, and of the engines, for a message."""
    read = dict.fromkeys(row.library for row in TYPES if row.read and row.library != "numpy")
    engines = dict.fromkeys(row.engine for row in TYPES if row.engine and row.engine != "Polars")
    return ", ".join(read), ", ".join(engines)


def reader(row: AttachableType) -> Any:
    """Return the function that reads values of this type."""
    module, function = row.read or ("", "")
    return getattr(import_module(f"{__package__}.{module}"), function)
