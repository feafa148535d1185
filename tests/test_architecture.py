"""The house: which room may import which, and that loading the extension loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "codevf_nb"

# Room → the rooms it may import, now or lazily. What a room may import, its users may be told of in the README under
# "How it is built"; this table is the one that is held to the code.
ROOMS = {
    "sdk": set(),
    "private_files": set(),
    "credentials": {"sdk", "private_files"},
    "settings": {"sdk", "credentials", "private_files"},
    "options": {"sdk", "attachments"},
    "question": {"sdk", "options", "attachments"},
    "attachments": {"sdk", "raised"},
    "raised": set(),
    "secrets": {"sdk"},
    "looking": set(),
    "hours": set(),
    "prefetch": {"publishing", "sdk"},
    "service": {"ledger", "line", "prefetch", "sdk", "settings"},
    "ledger": {"sdk"},
    "submission": {"ledger", "question", "sdk", "settings", "attachments"},
    "setback": {"sdk"},
    "publishing": set(),
    "watcher": {"sdk", "setback", "publishing"},
    "line": {"ledger", "sdk", "settings", "watcher"},
    "task": {"sdk", "ledger", "session", "watcher", "display", "attachments", "frames"},
    "session": {
        *(
            "settings",
            "options",
            "question",
            "attachments",
            "secrets",
            "ledger",
            "line",
            "looking",
            "service",
            "submission",
            "watcher",
            "task",
            "sdk",
        ),
    },
    "kernel": {"session", "task", "settings", "ledger", "sdk", "sandbox"},
    "frames": {"ledger", "sdk"},
    "plots": {"sdk", "display"},
    "display": {"sdk", "ledger", "question", "attachments", "hours"},
    "live": {"display", "session", "ledger", "question", "task", "publishing"},
    "widgets": {
        *("session", "frames", "plots", "display", "hours", "live", "ledger", "attachments", "task", "question", "sdk"),
        "options",
        "publishing",
        "raised",
    },
    "grammar": {"sdk"},
    "defaults": {"settings", "sdk"},
    "completion": {"grammar", "commands", "session", "sdk"},
    "magics": {
        "widgets",
        "completion",
        "defaults",
        "grammar",
        "commands",
        "kernel",
        "display",
        "live",
        "options",
        "raised",
        "settings",
        "task",
        "sdk",
        "attachments",
    },
    "commands": {
        "attachments",
        "defaults",
        "grammar",
        "kernel",
        "live",
        "widgets",
        "display",
        "settings",
        "credentials",
        "sandbox",
        "sdk",
        "task",
        "__init__",
    },
    "demo": {"kernel", "sandbox"},
    "sandbox": set(),
    "smoke": {"sdk", "settings", "display"},
    "cli": {"sandbox", "demo", "smoke"},
    "__init__": {
        "publishing",
        "kernel",
        "frames",
        "magics",
        "task",
        "settings",
        "defaults",
        "widgets",
        "options",
        "submission",
    },
}
# Arrows that run back up, each for its one reason, all under TYPE_CHECKING: a type named in a signature.
ONLY_FOR_TYPES = {
    ("task", "session"),
    ("question", "attachments"),
    ("display", "attachments"),
    ("submission", "settings"),
}


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def files() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the package's own modules that a file imports, and whether only for types."""
    found = []
    package = ["codevf_nb", *path.relative_to(PACKAGE).parts[:-1]]

    def visit(node: ast.AST, *, types: bool) -> None:
        types = types or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        if isinstance(node, ast.Import):
            found.extend((alias.name, types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.extend((f"{module}.{alias.name}", types) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child, types=types)

    visit(ast.parse(path.read_text(encoding="utf-8")), types=False)
    return [(name, types) for name, types in found if name.split(".")[0] == "codevf_nb"]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_run_only_where_they_are_drawn(path: Path):
    """No file imports a room that the table doesn't allow its own room."""
    here = room_of(".".join(["codevf_nb", *path.relative_to(PACKAGE).with_suffix("").parts]))
    assert here in ROOMS, f"{here} is a new room: draw it in the table and in the README"
    for module, types in imports(path):
        there = room_of(module) if room_of(module) in ROOMS else "__init__"
        if there == here or (there == "__init__" and module.count(".") == 0 and here == "commands"):
            continue
        assert there in ROOMS[here], f"{path.name} imports {module}"
        if (here, there) in ONLY_FOR_TYPES:
            assert types, f"{path.name} may import {module} for types only"


def test_every_room_is_there():
    """A room in the table that is gone from the code would allow arrows to nowhere."""
    there = {room_of(".".join(["codevf_nb", *path.relative_to(PACKAGE).with_suffix("").parts])) for path in files()}
    assert there == set(ROOMS)


def test_sandbox_and_client_share_no_code():
    """So that both can't be wrong together."""
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        assert {room_of(module) for module, _ in imports(path)} <= {"sandbox"}, path


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


HEAVY = {"pandas", "requests", "sqlalchemy", "ipywidgets", "tornado", "jsonschema", "matplotlib", "markdown_it"}


def test_importing_loads_nothing_heavy():
    """Neither the package nor its extension makes a notebook wait for what it may never use."""
    assert not loaded_by("import codevf_nb") & HEAVY
    statement = "import IPython.core.magic, traitlets.config; before = set(sys.modules); import codevf_nb.magics"
    assert not loaded_by(statement) & HEAVY


def test_public_names_are_there():
    """What `__all__` says is what there is, sorted, in the package and in the SDK."""
    import codevf_nb
    import codevf_nb.sdk

    for module in (codevf_nb, codevf_nb.sdk):
        assert module.__all__ == sorted(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None
