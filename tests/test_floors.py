"""The oldest supported versions: each dependency names one, and `make test-old` runs on exactly these."""

import os
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.floors import PYPROJECT, REPLACED, floors

PROJECT = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
BASE = [Requirement(text).name for text in PROJECT["dependencies"]]
FLOORS_ONLY = os.environ.get("CODEVF_TEST_FLOORS") == "1"  # read before a test's home clears the environment
FLOORS = {name: least for name, least in floors().items() if name not in REPLACED}


def test_every_base_dependency_has_a_floor():
    """None is left to whatever pip finds: a constraint would be missing, and an old version untested."""
    assert set(BASE) <= set(FLOORS)
    assert not REPLACED & set(BASE)


@pytest.mark.parametrize("name", BASE)
def test_the_installed_version_is_supported(name):
    """In `make test-old` (``CODEVF_TEST_FLOORS=1``) it is the floor itself."""
    installed, least = Version(version(name)), Version(FLOORS[name])
    assert installed >= least
    if FLOORS_ONLY:
        assert installed == least


def test_the_extra_all_is_every_other_one():
    """`pip install codevf_nb[all]` leaves nothing out."""
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    assert Requirement(everything).extras == set(extras) - {"all"}
