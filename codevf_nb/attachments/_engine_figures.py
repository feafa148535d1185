"""Statistics of all columns over all rows of a table in an engine. The engine computes them in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from codevf_nb.attachments._column_figures import Statistics
from codevf_nb.attachments.attachment import AttachmentError

_QUARTILES = (0.25, 0.5, 0.75)
_LONGEST = 40  # characters of a value


def counted_whole(value: Any, header: Sequence[str]) -> tuple[int, dict[int, Statistics], tuple[str, ...]]:
    """Count the rows of a table in an engine and compute the statistics of its columns.

    Returns:
        The number of rows, the statistics by column number, and remarks on what could not be computed.

    Raises:
        AttachmentError: narwhals is not installed.
    """
    try:
        import narwhals as nw
    except ModuleNotFoundError:
        raise AttachmentError("--profile full needs narwhals: pip install 'codevf_nb[engines]'.") from None
    if hasattr(value, "toDF"):  # narwhals would parse a dot or a backtick in a Spark column name as syntax
        value = value.toDF(*map(str, range(len(value.columns))))
    frame = nw.from_native(value)
    library, frame = frame.implementation.value, frame.lazy()
    asked, columns = [nw.len().alias("rows")], []
    beyond: dict[str, None] = {}
    names = list(frame.collect_schema())
    offset = len(header) - len(names)  # an index that is sent is not a column in the engine
    for number, (name, dtype) in enumerate(frame.collect_schema().items()):
        kinds = _expressions(nw, name, dtype, number)
        for kind in [kind for kind in kinds if _is_unsupported(library, dtype, kind)]:
            del kinds[kind]
            beyond["quartiles" if kind.startswith("q") else f"extremes of {dtype}"] = None
        asked += kinds.values()
        columns.append((number + offset, kinds))
    found = frame.select(*asked).collect().to_dict(as_series=False)
    whole = {name: values[0] for name, values in found.items()}
    rows = int(whole["rows"])
    figures = {number: _figures(number - offset, kinds, whole) for number, kinds in columns}
    facts = (f"Not counted over the whole, since {library} can't be asked for it: {', '.join(beyond)}.",)
    return rows, figures, facts if beyond else ()


def _expressions(nw: Any, name: str, dtype: Any, number: int) -> dict[str, Any]:
    """Return the expressions to compute for a column of this type, by statistic."""
    column = nw.col(name)
    asked = {"nulls": column.null_count()}
    if not dtype.is_nested() and dtype not in (nw.Binary, nw.Object, nw.Unknown):
        asked["distinct"] = column.n_unique()
        if dtype != nw.Boolean and dtype not in (nw.Categorical, nw.Enum):
            asked |= {"least": column.min(), "greatest": column.max()}
    if dtype.is_integer() or dtype.is_float():
        asked |= {f"q{share}": column.quantile(share, interpolation="linear") for share in _QUARTILES}
    return {kind: expression.alias(f"{kind}_{number}") for kind, expression in asked.items()}


def _is_unsupported(library: str, dtype: Any, kind: str) -> bool:
    """Whether narwhals can't compute this in an engine: quartiles in Dask, the order of objects."""
    if (library, str(dtype)) in (("modin", "String"), ("dask", "Date")):
        return kind in ("least", "greatest")
    return library == "dask" and kind.startswith("q")


def _figures(number: int, kinds: dict[str, Any], whole: dict[str, Any]) -> Statistics:
    values = {kind: whole[f"{kind}_{number}"] for kind in kinds}
    figures = Statistics(nulls=f"{int(values['nulls']):,}")
    if "distinct" in values:
        figures.distinct = f"{int(values['distinct']) - bool(values['nulls']):,}"
    if values.get("least") is not None:
        figures.extremes = f"{_text(values['least'])} … {_text(values['greatest'])}"
    quartiles = [values.get(f"q{share}") for share in _QUARTILES]
    if all(value is not None for value in quartiles) and _is_exact(values["least"], values["greatest"]):
        figures.quartiles = ", ".join(_text(value) for value in quartiles)
    return figures


def _is_exact(*values: Any) -> bool:
    """Whether a float can hold any value between these numbers exactly; larger integers would be rounded."""
    return not any(isinstance(value, int) and abs(value) > 2**53 for value in values)


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        text = value.isoformat(sep=" ")
    else:
        text = repr(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
