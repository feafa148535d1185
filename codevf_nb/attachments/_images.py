"""Convert matplotlib figures and PIL images to PNG."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from codevf_nb.attachments.attachment import AttachmentError, Picture, is_a

MAX_IMAGE_BYTES = 10 * 1024 * 1024  # the service's documented limit for images; larger images are scaled down


def png_of(name: str, value: Any) -> bytes | None:
    """Return a figure, an Axes, a PIL image or a Picture as PNG, or None for any other value."""
    if isinstance(value, Picture):
        return value.png
    if holds_drawings(value):
        value = _only_figure(name, _artists(value))
    if is_a(value, "matplotlib", "Artist"):
        figure = value if is_a(value, "matplotlib", "FigureBase") else getattr(value, "figure", None)
        if figure is None:
            raise AttachmentError(f"{name} does not belong to a figure: attach a figure.")
        return _drawn(name, getattr(figure, "figure", figure))
    return _saved(name, value) if is_a(value, "PIL", "Image") else None


def holds_drawings(value: Any) -> bool:
    """Whether a value is a result of a pyplot call: an array of Axes, bars, or the parts of a histogram."""
    if isinstance(value, tuple) or (is_a(value, "numpy", "ndarray") and value.dtype.kind == "O"):
        return any(True for _ in _artists(value))
    return False


def _artists(value: Any, depth: int = 3) -> Iterator[Any]:
    if is_a(value, "matplotlib", "Artist"):
        yield value
    elif depth and (isinstance(value, tuple | list) or (is_a(value, "numpy", "ndarray") and value.dtype.kind == "O")):
        for part in value if isinstance(value, tuple | list) else value.flat:
            yield from _artists(part, depth - 1)


def _only_figure(name: str, artists: Iterable[Any]) -> Any:
    figures = {id(figure): figure for artist in artists if (figure := _figure(artist)) is not None}
    if len(figures) != 1:
        raise AttachmentError(f"{name} contains parts of {len(figures)} figures: attach each figure separately.")
    return next(iter(figures.values()))


def _figure(artist: Any) -> Any:
    return artist if is_a(artist, "matplotlib", "FigureBase") else getattr(artist, "figure", None)


def figure_of(outputs: Iterable[Any] = ()) -> Any:
    """Return the figure of a run: the last image among its outputs, or else the open pyplot figure.

    Args:
        outputs: MIME bundles, or objects with a MIME bundle in ``data``, as IPython captures them.

    Returns:
        A picture or a matplotlib figure.

    Raises:
        AttachmentError: There is no image and no open figure. The inline backend closes a figure when its cell ends.
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
        "--figure: no figure is open (a notebook closes figures when a cell ends): draw it with --run, "
        "or store it in a variable and attach the variable, -a fig."
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
            raise AttachmentError(f"{name} is larger than 10 MiB as PNG, even at the lowest resolution.")


# The mode to write for an image mode that PNG lacks. All other modes are written as RGB.
_MODES = {"RGBa": ("RGBA",), "La": ("LA",), "PA": ("RGBA",), "RGBX": ("RGB",)}
_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}


def _saved(name: str, image: Any) -> bytes:
    if image.mode in {"I", "F", "I;16B", "I;16L", "I;16N"}:
        image = _grey(name, image)
    elif image.mode not in _PNG_MODES:
        image = image.convert(*_MODES.get(image.mode, ("RGB",)))
    while min(image.size) > 0:
        saved = io.BytesIO()
        image.save(saved, format="PNG")
        png = saved.getvalue()
        if len(png) <= MAX_IMAGE_BYTES:
            return png
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
    raise AttachmentError(f"{name} is an empty image: its width or height is 0.")


def _grey(name: str, image: Any) -> Any:
    """Return an integer image with 16 bits per pixel; PNG has no floats and no larger integers."""
    least, greatest = image.getextrema()
    if image.mode != "F" and least >= 0 and greatest <= 65535:
        return image.convert("I").convert("I;16")
    raise AttachmentError(
        f"{name} is an image of mode {image.mode} with values from {least:g} to {greatest:g}, which PNG lacks: "
        f"attach numpy.asarray({name}) for the numbers, or scale it to 0 … 255 and attach {name}.convert('L')."
    )
