"""The review of all documents, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from codevf_nb.sandbox._reviewer._documents import Document
from codevf_nb.sandbox._reviewer._finding import SEVERITIES, Finding
from codevf_nb.sandbox._reviewer._joins import joins_in, keys_between
from codevf_nb.sandbox._reviewer._pyflakes_checks import run_pyflakes
from codevf_nb.sandbox._reviewer._rulebook import counted, found
from codevf_nb.sandbox._reviewer._source import Source, read_notebook, read_python
from codevf_nb.sandbox._reviewer._syntax_checks import check_syntax_tree
from codevf_nb.sandbox._reviewer._tables import Table, inspect, read_table

OPENING = "This answer is automated: the CodeVF sandbox wrote it, and no person has read your question."
SHOWN = 12
"""The number of findings in the message. The CSV file has all findings."""
MOST_FINDINGS = 500


@dataclass(frozen=True)
class Review:
    """The findings, in all formats."""

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    bytes_read: int

    @property
    def summary(self) -> str:
        """The summary in one line."""
        return f"Automated review, no person involved: {_number(len(self.findings), 'finding')}."

    @property
    def message(self) -> str:
        """The answer in Markdown."""
        parts = [
            OPENING,
            self._found(),
            "\n".join(["What was checked:", "", *(f"- {line}" for line in self.checked)]),
        ]
        return "\n\n".join(part for part in parts if part)

    @property
    def table(self) -> str:
        """All findings as CSV."""
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "line", "column", "severity", "rule", "message", "advice"])
        for finding in self.findings:
            place = [finding.file, finding.line, finding.column]
            cells = [*place, finding.severity, finding.rule, finding.message, finding.advice]
            writer.writerow([_harmless(cell) for cell in cells])
        return file.getvalue()

    def _found(self) -> str:
        if not self.findings:
            return ""
        files = len({finding.file for finding in self.findings})
        lines = [f"**{_number(len(self.findings), 'finding')} in {_number(files, 'file')}**", ""]
        for finding in self.findings[:SHOWN]:
            place = finding.where.replace("`", "'")
            lines += [f"- `{place}` ({finding.severity}): {finding.message} {finding.advice}".rstrip()]
        if len(self.findings) > SHOWN:
            lines.append(f"- … and {len(self.findings) - SHOWN} more in findings.csv")
        return "\n".join(lines)


def review(documents: Sequence[Document]) -> Review:
    """Review all documents. The most severe findings are first."""
    findings: list[Finding] = []
    checked: list[str] = []
    sources: list[Source] = []
    tables: list[Table] = []
    for document in documents:
        read, line = _read(document, sources, tables)
        findings += read
        cut = f" Only its first {document.limit // 1024} KiB were read." if document.kind and document.cut else ""
        checked.append(line + cut)
    # A key that is missing in a part of a table may be in the rest of it.
    whole = [table for table in tables if table.whole]
    for source in sources:
        findings += joins_in(source, whole)
    findings += keys_between(whole)
    if len(whole) > 1:
        checked.append("Between the tables: keys of one that are missing in the other.")
    if not documents:
        checked.append("Nothing: no file was attached, and a question alone can't be judged by a program.")
    if not findings and any(document.kind for document in documents):
        checked.append("Nothing was found. That is no promise that nothing is wrong.")
    ranked = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))[:MOST_FINDINGS]
    bytes_read = sum(min(len(document.content), document.limit) for document in documents)
    return Review(tuple(ranked), tuple(checked), bytes_read)


def _read(document: Document, sources: list[Source], tables: list[Table]) -> tuple[list[Finding], str]:
    name = "`" + document.name.replace("`", "'") + "`"
    if document.kind in {"python", "notebook"}:
        return _read_code(document, sources, name)
    if document.kind == "table":
        return _read_table(document, tables, name)
    if document.kind == "json":
        return _read_json(document, name)
    return [], f"{name}: not read, only Python, notebooks, CSV and JSON are."


def _read_code(document: Document, sources: list[Source], name: str) -> tuple[list[Finding], str]:
    read = read_notebook(document) if document.kind == "notebook" else read_python(document)
    findings = list(read.findings)
    for source in read.parsed:
        findings += [*run_pyflakes(source), *check_syntax_tree(source)]
    sources += read.parsed
    lines = _number(document.text.count("\n") + 1, "line")
    line = f"{name}: {lines}, with Python's parser, pyflakes and checks for common defects."
    skipped = sum(source.skipped for source in read.parsed)
    if skipped:
        line += f" {counted(skipped, 'line', 'lines')} for IPython (% ! ?) left out."
    if any(source.is_cell for source in read.parsed):
        line += " As one cell of a notebook: names may come from other cells."
    return findings, line


def _read_table(document: Document, tables: list[Table], name: str) -> tuple[list[Finding], str]:
    table = read_table(document)
    if isinstance(table, Finding):
        return [table], f"{name}: could not be read as CSV."
    tables.append(table)
    size = f"{_number(len(table.rows), 'row')} × {_number(len(table.header), 'column')}"
    line = f"{name}: {size}, for ragged and repeated rows, gaps, mixed types and dates, blanks."
    if not table.whole:
        line += f" Only the first {len(table.rows):,} rows were read."
    return list(inspect(table)), line


def _read_json(document: Document, name: str) -> tuple[list[Finding], str]:
    try:
        json.loads(document.text)
    except RecursionError:
        return [], f"{name}: nests too deeply to be read."
    except json.JSONDecodeError as error:
        if document.cut:
            return [], f"{name}: too long to be judged."
        return [found(document.name, error.lineno, "json", error=error.msg)], f"{name}: read as JSON."
    except ValueError:
        return [], f"{name}: holds a number too long to be read."
    return [], f"{name}: is well-formed JSON."


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _harmless(cell: str | int | None) -> str | int | None:
    """Return a cell that spreadsheets do not read as a formula."""
    return "'" + cell if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell
