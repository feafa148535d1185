"""The README's pictures can be taken again, and are of the page as it is."""

import struct
from pathlib import Path

from tests.browser.images import IMAGES, take


def size(picture: Path) -> tuple[int, int]:
    """Return width and height in pixels, as a PNG's first chunk has them."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


def test_the_pictures_are_of_the_page_as_it_is(browser, lab, tmp_path):
    """Taken anew they have the size of those kept, so what stands in them hasn't grown or gone (fonts may differ)."""
    running, root = lab
    for taken in take(browser, running, root, tmp_path / "images"):
        width, height = size(taken)
        kept_width, kept_height = size(IMAGES / taken.name)
        assert width == kept_width
        assert abs(height - kept_height) < 0.2 * kept_height, f"make docs-images: {taken.name} isn't as it was"
