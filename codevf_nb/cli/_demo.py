"""``codevf-nb demo``: executes the quickstart in a kernel against a sandbox, and prints the results.

The demo uses a temporary home folder, so every run is the same, and the user's ledger does not change.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, TextIO

NOTEBOOK = "01-quickstart.ipynb"


def run(out: TextIO) -> int:
    """Execute the quickstart and print answer, tasks and spend; 0 only if its task was completed."""
    try:
        import tqdm  # noqa: F401 - only to see whether the extra is there
        from nbclient.exceptions import CellExecutionError
    except ImportError:
        print('the demo needs a kernel to run in: pip install "codevf_nb[lab]"', file=out)
        return 2
    folder = _notebooks()
    home = Path(tempfile.mkdtemp(prefix="codevf-demo-"))
    os.environ["CODEVF_NB_HOME"] = str(home)
    for name in ("CODEVF_API_KEY", "CODEVF_BASE_URL", "CODEVF_LEDGER"):
        os.environ.pop(name, None)
    try:
        notebook = _execute(folder / NOTEBOOK)
        return _report(notebook, out)
    except CellExecutionError as error:
        print(error, file=out)
        return 1
    finally:
        from codevf_nb.sandbox import process

        process.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _notebooks() -> Path:
    """Return the folder of the notebooks: inside an installed package, or next to it in a checkout."""
    package = Path(__file__).parents[1]
    found = [
        folder for folder in (package / "notebooks", package.parent / "notebooks") if (folder / NOTEBOOK).is_file()
    ]
    if not found:
        raise FileNotFoundError(
            f"{NOTEBOOK} is neither in {package / 'notebooks'} nor in {package.parent / 'notebooks'}"
        )
    return found[0]


def _execute(path: Path) -> Any:
    import nbformat
    from nbclient import NotebookClient
    from tqdm import tqdm

    notebook: Any = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with tqdm(total=len(code_cells), desc=path.name, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its warnings would tear the progress bar apart
            on_cell_executed=lambda **_: bar.update(),
        )
        client.execute()
    return notebook


def _report(notebook: Any, out: TextIO) -> int:
    """Print the outputs of the cells with the tag "demo", and the status of the task."""
    for cell in notebook.cells:
        if "demo" in cell.metadata.get("tags", ()):
            for output in cell.outputs:
                text = output.get("text") or output.get("data", {}).get("text/plain", "")
                print(f"\n{text.rstrip()}", file=out)
    from codevf_nb import kernel

    last = kernel.use_sandbox().task()
    completed = last.status == "completed"
    kernel.forget()
    verdict = "completed" if completed else f"ended as {last.status}"
    print(f"\nThe question was {verdict}.", file=out)
    print("Next: make lab opens the notebooks in JupyterLab, with the sandbox running.", file=out)
    return 0 if completed else 1
