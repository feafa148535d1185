"""Figures of every column over all rows of a table that lives in an engine, counted by the engine in one query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from codevf_nb.attachments._column_figures import Figures
from codevf_nb.attachments.attachment import AttachmentError

_QUARTILES = (0.25, 0.5, 0.75)
_LONGEST = 40  # characters of a value


def counted_whole(value: Any, header: Sequence[str]) -> tuple[int, dict[int, Figures], tuple[str, ...]]:
    """Return the number of rows, by the column's number what is known of all of them, and what could not be counted.

    Raises:
        AttachmentError: narwhals isn't installed.
    """
    try:
        import narwhals as nw
    except ModuleNotFoundError:
        raise AttachmentError("--profile full needs narwhals: pip install 'codevf_nb[engines]'.") from None
    if hasattr(value, "toDF"):  # narwhals takes a dot or a backtick in a name of Spark's for a part of its syntax
        value = value.toDF(*map(str, range(len(value.columns))))
    frame = nw.from_native(value)
    library, frame = frame.implementation.value, frame.lazy()
    asked, columns = [nw.len().alias("rows")], []
    beyond: dict[str, None] = {}
    names = list(frame.collect_schema())
    offset = len(header) - len(names)  # an index that goes along is no column there
    for number, (name, dtype) in enumerate(frame.collect_schema().items()):
        kinds = _asked(nw, name, dtype, number)
        for kind in [kind for kind in kinds if _is_beyond(library, dtype, kind)]:
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


def _asked(nw: Any, name: str, dtype: Any, number: int) -> dict[str, Any]:
    """Return what can be asked of a column of its type, by what it is."""
    column = nw.col(name)
    asked = {"nulls": column.null_count()}
    if not dtype.is_nested() and dtype not in (nw.Binary, nw.Object, nw.Unknown):
        asked["distinct"] = column.n_unique()
        if dtype != nw.Boolean and dtype not in (nw.Categorical, nw.Enum):
            asked |= {"least": column.min(), "greatest": column.max()}
    if dtype.is_integer() or dtype.is_float():
        asked |= {f"q{share}": column.quantile(share, interpolation="linear") for share in _QUARTILES}
    return {kind: expression.alias(f"{kind}_{number}") for kind, expression in asked.items()}


def _is_beyond(library: str, dtype: Any, kind: str) -> bool:
    """Whether narwhals can't ask an engine for this: quartiles of Dask, the order of objects."""
    if (library, str(dtype)) in (("modin", "String"), ("dask", "Date")):
        return kind in ("least", "greatest")
    return library == "dask" and kind.startswith("q")


def _figures(number: int, kinds: dict[str, Any], whole: dict[str, Any]) -> Figures:
    said = {kind: whole[f"{kind}_{number}"] for kind in kinds}
    figures = Figures(nulls=f"{int(said['nulls']):,}")
    if "distinct" in said:
        figures.distinct = f"{int(said['distinct']) - bool(said['nulls']):,}"
    if said.get("least") is not None:
        figures.extremes = f"{_text(said['least'])} … {_text(said['greatest'])}"
    quartiles = [said.get(f"q{share}") for share in _QUARTILES]
    if all(value is not None for value in quartiles) and _is_exact(said["least"], said["greatest"]):
        figures.quartiles = ", ".join(_text(value) for value in quartiles)
    return figures


def _is_exact(*values: Any) -> bool:
    """Whether a float, which a quartile is, holds what lies between these numbers; larger integers it would change."""
    return not any(isinstance(value, int) and abs(value) > 2**53 for value in values)


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        text = value.isoformat(sep=" ")
    else:
        text = repr(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
