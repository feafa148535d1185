"""What tests of the magics do in a shell."""

import hashlib

from IPython.utils.capture import capture_output


def run(shell, cell: str):
    """Run a cell as a notebook would, and return its result and everything it showed."""
    with capture_output() as shown:
        result = shell.run_cell(cell, store_history=True)
    return result, shown


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def creates(box) -> list:
    return [path for method, path, *_ in box.requests() if path.endswith("tasks/create")]
