"""Parsed Python (modules, single cells, notebooks), with the original position of every line."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field

from codevf_nb.sandbox._reviewer._documents import Document
from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._rulebook import found

# A cell with one of these cell magics is Python. A cell with another one (%%bash, %%html …) is not.
PYTHON_CELLS = frozenset({"%%time", "%%timeit", "%%capture", "%%prun", "%%codevf"})
_OWN_LINE = re.compile(r"^(?P<indent>\s*)([%!?].*|[\w.\[\]'\"]+\?{1,2}\s*)$")
_OWN_VALUE = re.compile(r"^(?P<target>\s*[\w, ]+=\s*)[%!].*$")


@dataclass
class Source:
    """Parsed Python. `places` has the original file and line for each line of the text."""

    tree: ast.Module
    places: list[tuple[str, int]]
    is_cell: bool  # other cells may define or use names, so that undefined and unused names are not findings
    skipped: int = 0  # the number of lines for IPython

    def place(self, line: int) -> tuple[str, int]:
        """Return the original file and line for a line of the parsed text."""
        return self.places[min(max(line, 1), len(self.places)) - 1] if self.places else ("", line)


@dataclass
class Sources:
    """The parsed sources of a file, and findings for the parts that can't be parsed."""

    parsed: list[Source] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_python(document: Document) -> Sources:
    """Parse a `.py` file, or a single cell."""
    text, skipped = document.text, 0
    tree, problem = _parse(text)
    if tree is None:
        without, skipped = _without_ipython(text)
        tree, _ = _parse(without)
    if tree is None:
        return Sources(findings=[] if document.cut else [_syntax(document.name, problem)])
    places = [(document.name, number + 1) for number in range(text.count("\n") + 1)]
    cell = skipped > 0 or document.stem.lower().startswith("cell")
    return Sources([Source(tree, places, cell, skipped)])


def read_notebook(document: Document) -> Sources:
    """Parse all code cells of an `.ipynb` as one program, in their order."""
    try:
        cells = [cell for cell in json.loads(document.text)["cells"] if cell["cell_type"] == "code"]
        texts = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, RecursionError):
        if document.cut:
            return Sources()
        return Sources(findings=[found(document.name, None, "notebook")])
    read, whole, places, skipped = Sources(), [], [], 0
    for number, text in enumerate(texts, start=1):
        name = f"{document.name} cell {number}"
        without, own = _without_ipython(text)
        tree, problem = _parse(without)
        skipped += own
        if tree is None:
            read.findings.append(_syntax(name, problem))
            continue
        whole.append(without)
        places += [(name, line + 1) for line in range(without.count("\n") + 1)]
    tree, _ = _parse("\n".join(whole))
    if tree is not None:
        # The names of a cell that can't be parsed are missing in the other cells.
        read.parsed.append(Source(tree, places, is_cell=bool(read.findings), skipped=skipped))
    return read


def _parse(text: str) -> tuple[ast.Module | None, SyntaxError | None]:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # otherwise an invalid escape in the code prints a warning
            return ast.parse(text), None
    except SyntaxError as error:
        return None, error
    except (ValueError, RecursionError, MemoryError) as error:
        return None, SyntaxError(str(error) or "nests too deeply")


def _syntax(name: str, error: SyntaxError | None) -> Finding:
    message = (error.msg if error else None) or "invalid syntax"
    return found(name, (error.lineno if error else None) or 1, "syntax", error=message)


def _without_ipython(text: str) -> tuple[str, int]:
    """Return the text with the lines for IPython replaced, and the number of these lines."""
    lines, own = text.split("\n"), 0
    first = lines[0].split() or [""]
    if first[0].startswith("%%") and first[0] not in PYTHON_CELLS:
        return "", len(lines)
    for index, line in enumerate(lines):
        value, alone = _OWN_VALUE.match(line), _OWN_LINE.match(line)
        if value:
            lines[index] = value["target"] + "None"
        elif alone:
            lines[index] = alone["indent"] + "pass"
        own += bool(value or alone)
    return "\n".join(lines), own
