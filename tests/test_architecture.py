"""Which package imports which, what is private, and that loading the extension loads nothing heavy."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import PACKAGES, PUBLIC, table

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "codevf_nb"
ROWS = {package.name: package for package in PACKAGES}


def module_name(path: Path) -> str:
    """Return the dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts}


@dataclass(frozen=True)
class Import:
    """One import of a module of this project in another one."""

    importer: str
    module: str
    for_types: bool

    @property
    def packages(self) -> tuple[str, str]:
        """The packages at both ends."""
        return package_of(self.importer), package_of(self.module)


def package_of(module: str) -> str:
    """Return the row of the table that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def folder_of(module: str) -> str:
    """Return the dotted name of the folder that a module lies in."""
    return module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]


def imports_in(importer: str) -> Iterator[Import]:
    """Read a module's imports of this project's modules, also those in functions."""

    def visit(node: ast.AST, *, for_types: bool) -> Iterator[Import]:
        for_types = for_types or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{importer} has a relative import: {ast.unparse(node)}"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "codevf_nb":
                yield Import(importer, name if name in FILES else name.rpartition(".")[0] or name, for_types)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, for_types=for_types)

    return visit(ast.parse(FILES[importer].read_text(encoding="utf-8")), for_types=False)


IMPORTS = [found for module in FILES for found in imports_in(module)]
ACROSS = [found for found in IMPORTS if found.packages[0] != found.packages[1]]


def test_every_package_has_a_row():
    """A package without a row would import what it likes; a row without a package allows imports of nothing."""
    assert {package_of(module) for module in FILES} == set(ROWS)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_imports_what_its_row_names(package):
    """No more than that, and no less: a name in the row that nothing needs fails too."""
    found = [each for each in ACROSS if each.packages[0] == package.name]
    at_run_time = {each.packages[1] for each in found if not each.for_types}
    assert at_run_time == set(package.imports.split())
    assert {each.packages[1] for each in found} - at_run_time == set(package.for_types.split())


def test_imports_point_up_the_table():
    """So there is no circle of packages, not even one that is hidden in functions."""
    order = list(ROWS)
    wrong = [
        f"{package.name} imports {name}"
        for package in PACKAGES
        for name in package.imports.split()
        if order.index(name) >= order.index(package.name)
    ]
    assert not wrong


def test_no_module_imports_itself_by_way_of_others():
    """No circle of modules within a package either, also none that is hidden in functions."""
    edges = {module: {i.module for i in IMPORTS if i.importer == module and not i.for_types} for module in FILES}
    for module, targets in edges.items():
        # A package's own __init__ is loaded with each of its modules, and imports them: that is no circle.
        edges[module] = {
            t for t in targets - {module} if not (module.startswith(f"{t}.") or t.startswith(f"{module}."))
        }
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        if module not in done:
            for target in sorted(edges[module]):
                walk(target, (*path, module))
            done.add(module)

    for module in sorted(FILES):
        walk(module, ())


def test_a_private_module_is_imported_in_its_own_folder_only():
    """A leading underscore marks what only the modules beside it may import."""
    wrong = [
        f"{found.importer} imports {found.module}"
        for found in IMPORTS
        for folder, _, name in [found.module.rpartition(".")]
        if name.startswith("_") and not f"{found.importer}.".startswith(f"{folder}.")
    ]
    assert not wrong


def test_a_module_that_only_its_folder_imports_is_private():
    """A module without the underscore has a user elsewhere, or is one of the names that are public."""
    used = {found.module for found in IMPORTS if not f"{found.importer}.".startswith(f"{folder_of(found.module)}.")}
    # What a folder's __init__ stands for is used where the folder is.
    open_modules = {
        module
        for module, path in FILES.items()
        if not any(part.startswith("_") for part in module.split(".")) and path.name != "__init__.py"
    }
    assert not open_modules - used - set(PUBLIC) - {f"codevf_nb.{name}" for name in ROWS}


def test_sandbox_and_client_share_no_code():
    """So that both can't be wrong in the same way."""
    assert not ROWS["sandbox"].imports
    assert not ROWS["sandbox"].for_types


def test_the_table_is_the_one_of_the_contributors_guide():
    """``python -m tests.architecture`` prints it."""
    assert table() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def loaded_by(statement: str) -> set[str]:
    """Return the libraries that a statement loads in a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


HEAVY = {"pandas", "requests", "sqlalchemy", "ipywidgets", "tornado", "jsonschema", "matplotlib", "markdown_it"}


def test_importing_loads_nothing_heavy():
    """Neither the package nor its extension makes a notebook wait for what it may never use."""
    assert not loaded_by("import codevf_nb") & HEAVY
    ready = "import IPython.core.magic, traitlets.config; before = set(sys.modules)"
    assert not loaded_by(f"{ready}; import codevf_nb.notebook.magics") & HEAVY


def test_public_names_are_there():
    """What `__all__` says is what there is, sorted, in the package and in the SDK."""
    import codevf_nb
    import codevf_nb.sdk

    for module in (codevf_nb, codevf_nb.sdk):
        assert module.__all__ == sorted(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_nothing_is_imported_from_a_test_module():
    """What tests share is in ``tests/support``, also for the programs that tests write."""
    imported = re.compile(r"^\s*(?:from|import)\s+tests\.(?:\w+\.)*test_\w+", re.M)
    found = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "tests").rglob("*.py")
        if (lines := imported.findall(path.read_text(encoding="utf-8")))
    }
    assert not found
