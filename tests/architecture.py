"""The architecture: each package with what belongs in it and the packages that it imports.

The one table that the test of imports and the table in CONTRIBUTING.md come from. A package imports only what stands
above it here; ``for_types`` are imports under ``TYPE_CHECKING`` only, which may point down: the types of parameters.
``python -m tests.architecture`` prints the table as Markdown.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A package or module at the root of ``codevf_nb``."""

    name: str
    content: str
    imports: str = ""
    for_types: str = ""
    libraries: str = ""


PACKAGES = (
    Package("sdk", "typed client for the HTTP API; works without a notebook", libraries="requests, jsonschema"),
    Package("ipython", "what is needed of IPython: displays, background threads, the last exception"),
    Package("accounts", "settings, API keys, allowed hosts, working hours", "sdk"),
    Package(
        "attachments",
        "values → files under a byte budget: tables (readers, samples, joins, profile), code, images, tracebacks",
        "sdk ipython",
    ),
    Package("privacy", "checks for secrets and personal data in what would be sent", "sdk"),
    Package(
        "questions",
        "the options of a question and their configured defaults, its identity, its draft and its price",
        "sdk accounts attachments",
    ),
    Package(
        "ledger",
        "the database: schema, migrations, questions, account book, budgets, rate limit, leases",
        "sdk",
        libraries="SQLAlchemy",
    ),
    Package(
        "delivery",
        "at-most-once submission, unknown outcomes, the watcher, what a session knows of the service",
        "sdk ipython questions ledger",
        for_types="accounts",
    ),
    Package(
        "display",
        "a task, a draft, a balance as text and as HTML; all escaping and number formatting",
        "sdk accounts",
        for_types="attachments questions ledger",
    ),
    Package(
        "drafting",
        "checks the options and collects the attachments of a question",
        "sdk attachments privacy questions ledger",
    ),
    Package("analysis", "ledger rows → DataFrames; spending, forecast", "sdk ledger", libraries="pandas"),
    Package("plots", "DataFrames → matplotlib axes", "sdk display", libraries="matplotlib"),
    Package(
        "task", "the Task that users hold", "sdk attachments display analysis", for_types="ledger delivery session"
    ),
    Package(
        "session",
        "the packages above, put together for one account",
        "sdk accounts questions ledger delivery drafting task",
    ),
    Package("sandbox", "a CodeVF service of your own: engine, server, automated reviewer", libraries="tornado"),
    Package("kernel", "the session of this kernel, and how it is chosen", "sdk accounts ledger task session sandbox"),
    Package(
        "widgets",
        "picker, progress, inbox, dashboard, live displays under cells: no HTTP, no SQL",
        "sdk ipython accounts attachments questions ledger display analysis plots task",
        for_types="session",
        libraries="ipywidgets",
    ),
    Package(
        "api",
        "the public functions",
        "accounts questions delivery analysis kernel widgets",
        for_types="task",
    ),
    Package(
        "notebook",
        "the extension: magics, their grammar, subcommands, completion",
        "sdk ipython accounts attachments questions display task sandbox kernel widgets api",
        for_types="session",
    ),
    Package("cli", "`codevf-nb …`", "sdk accounts display sandbox kernel"),
    Package("__init__", "the public names, and the hooks of the extension", "ipython api notebook"),
)

# What users may import; everything else may change with any release.
PUBLIC = ("codevf_nb", "codevf_nb.plots", "codevf_nb.sdk", "codevf_nb.sdk.exceptions", "codevf_nb.sandbox")


def table() -> str:
    """Return the table of packages in Markdown, as CONTRIBUTING.md has it."""
    rows = ["| package | what belongs in it | imports | library |", "| --- | --- | --- | --- |"]
    for package in PACKAGES:
        imports = ", ".join(f"`{name}`" for name in package.imports.split()) or "–"
        rows.append(f"| `{package.name}` | {package.content} | {imports} | {package.libraries or '–'} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
