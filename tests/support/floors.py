"""The oldest supported versions, as pip's constraints: read from pyproject.toml, the only place that names them.

``python tests/support/floors.py`` prints one ``name==version`` per line. It runs before anything is installed, so it
needs the standard library alone.
"""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

# JupyterLab 3 takes its place in the old environment (group ``old``): JupyterLab 4 can't draw ipywidgets 7.
REPLACED = {"jupyterlab"}


def floors() -> dict[str, str]:
    """Return the lowest allowed version of each dependency of the package and of its extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    found = {}
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        if requirement.startswith(f"{project['name']}["):
            continue
        named = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\d.]+)", requirement)
        if named is None:
            raise ValueError(f"{requirement!r} in pyproject.toml has no floor, written as name>=version.")
        found[named[1]] = named[2]
    return found


if __name__ == "__main__":
    print("\n".join(f"{name}=={version}" for name, version in floors().items() if name not in REPLACED))
