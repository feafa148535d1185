"""Matplotlib's figures and PIL's images as PNG."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from .attachment import AttachmentError, Picture, is_a

MAX_IMAGE_BYTES = 10 * 1024 * 1024  # the published limit for images; a larger one is made smaller


def png_of(name: str, value: Any) -> bytes | None:
    """Return a figure, an Axes, an image or a picture as PNG, or None where a value is none of them."""
    if isinstance(value, Picture):
        return value.png
    if is_a(value, "matplotlib", "Artist"):
        figure = value if is_a(value, "matplotlib", "FigureBase") else getattr(value, "figure", None)
        if figure is None:
            raise AttachmentError(f"{name} is in no figure yet: attach the figure.")
        return _drawn(name, getattr(figure, "figure", figure))
    return _saved(name, value) if is_a(value, "PIL", "Image") else None


def figure_of(outputs: Iterable[Any] = ()) -> Any:
    """Return the figure of a run: its last picture among the outputs it showed, else the open figure of pyplot.

    ``outputs`` are MIME bundles, or objects with one in ``data``, as IPython captures them.

    Raises:
        AttachmentError: there is neither. The inline backend closes a figure once its cell has ended.
    """
    for output in reversed(list(outputs)):
        data = output if isinstance(output, Mapping) else getattr(output, "data", {})
        png = data.get("image/png")
        if png:
            return Picture(base64.b64decode(png) if isinstance(png, str) else png)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        return pyplot.gcf()
    raise AttachmentError(
        "--figure: no figure is open (a notebook closes them once their cell has ended): draw it with --run, "
        "or keep it in a variable and attach that, -a fig."
    )


def _drawn(name: str, figure: Any) -> bytes:
    dpi = float(figure.dpi)
    while True:
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight")
        png = drawn.getvalue()
        if len(png) <= MAX_IMAGE_BYTES:
            return png
        dpi /= 2
        if dpi < 20:
            raise AttachmentError(f"{name} is larger than 10 MiB as PNG, however coarse.")


def _saved(name: str, image: Any) -> bytes:
    if image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"}:
        image = image.convert("RGB")
    while min(image.size) > 0:
        saved = io.BytesIO()
        image.save(saved, format="PNG")
        png = saved.getvalue()
        if len(png) <= MAX_IMAGE_BYTES:
            return png
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
    raise AttachmentError(f"{name} is an image without a size.")
