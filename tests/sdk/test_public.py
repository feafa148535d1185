"""The public face of the client: its names, and what importing it costs."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from codevf_nb import sdk
from codevf_nb.sdk import exceptions

SOURCE = Path(sdk.__file__).parent
HEAVY = {"requests", "urllib3", "jsonschema", "referencing", "pandas", "numpy", "pydantic"}


def test_all_is_sorted_and_true():
    """`__all__` is sorted, names what is there, and leaves out nothing that can be loaded."""
    assert sorted(sdk.__all__) == sdk.__all__
    assert set(sdk.__all__) == set(sdk._MODULE_OF)
    for name in sdk.__all__:
        assert getattr(sdk, name).__name__ == name
        assert name in dir(sdk)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        sdk.Nothing  # noqa: B018 - the look-up is what is tested


def test_every_exception_is_public_and_in_the_tree():
    """Each class of exceptions.py is exported and drawn in the tree at the top of the file."""
    classes = [value for value in vars(exceptions).values() if inspect.isclass(value) and issubclass(value, Exception)]
    assert len(classes) > 15
    for kind in classes:
        assert issubclass(kind, sdk.CodeVFError)
        assert kind.__name__ in sdk.__all__
        assert kind.__name__ in exceptions.__doc__


def test_everything_public_has_a_docstring():
    """Every public name, and every public method of a public class, says what it is."""
    for name in sdk.__all__:
        value = getattr(sdk, name)
        assert value.__doc__, name
        for member, function in vars(value).items() if inspect.isclass(value) else ():
            if not member.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                assert function.__doc__, f"{name}.{member}"


@pytest.mark.parametrize("module", ["", ".exceptions", ".models", ".limits", ".responses", ".polling", ".validation"])
def test_light_modules_load_nothing_heavy(module):
    """An extension can import errors and models without paying for requests or jsonschema."""
    code = f"import sys, codevf_nb.sdk{module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_client_imports_no_other_library():
    """Only the standard library, requests (with its urllib3) and jsonschema (with its referencing) are imported."""
    allowed = set(sys.stdlib_module_names) | {"requests", "urllib3", "jsonschema", "referencing", "codevf_nb"}
    for path in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
                assert {name.split(".")[0] for name in names} <= allowed, path.name


def test_only_one_module_knows_http():
    """requests and urllib3 are imported in one place."""
    for path in SOURCE.glob("*.py"):
        if path.name != "_http.py":
            assert "import requests" not in path.read_text()
            assert "urllib3" not in path.read_text().replace('"""', "")


def test_files_and_functions_stay_small():
    """No file over 350 lines, no function over 60."""
    for path in SOURCE.glob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 350, path.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path.name}: {node.name}"
