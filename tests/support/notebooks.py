"""The example notebooks."""

from tests.notebooks.execute import NOTEBOOKS

EVERY = sorted(NOTEBOOKS.glob("*.ipynb"))
