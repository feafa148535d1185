"""What users write type-checks under mypy strict, and what is wrong is found."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", ["usage.py", "mistakes.py"])
def test_users_code_under_mypy_strict(name):
    """The examples are clean; in the mistakes every `ignore` is needed."""
    from mypy import api

    out, err, status = api.run(["--strict", "--warn-unused-ignores", "--python-version=3.11", str(FOLDER / name)])
    assert status == 0, out + err
