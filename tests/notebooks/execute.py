"""Execute the example notebooks in place, each with its own home: ``python -m tests.notebooks.execute [NAME …]``."""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from codevf_nb.sandbox import process

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def execute(path: Path, home: Path) -> nbformat.NotebookNode:
    """Run a notebook through a real kernel, in its own folder and with this home, and return it executed."""
    notebook = nbformat.read(path, as_version=4)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CODEVF_")}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    try:
        client.execute(env={**environment, "CODEVF_NB_HOME": str(home)})
    finally:
        process.stop(home)
    return notebook


def main(names: list[str]) -> None:
    """Execute and write back every example notebook, or those named."""
    paths = {path.stem: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    for name in names or paths:
        path = paths[Path(name).stem]
        with tempfile.TemporaryDirectory() as home:
            notebook = execute(path, Path(home))
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it ran: differs each time, tells a reader nothing
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)
        print(f"executed {path.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
