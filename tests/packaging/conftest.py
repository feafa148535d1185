"""What is released, built once per run, and clean environments to install it into."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINORS = (11, 12, 13)


def run(*command: str | Path, cwd: Path, seconds: float = 600, **environment: str) -> str:
    """Run a program and return what it prints; where it fails, that is the failure's message."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return done.stdout


@cache
def pythons() -> dict[str, str]:
    """The Pythons that are here, by version."""
    found = {version: _program(version) for version in (f"3.{minor}" for minor in MINORS)}
    return {version: program for version, program in found.items() if program}


def _program(version: str) -> str | None:
    """Where a Python really is: what stands on the path may be pyenv's, which has to be told the version too."""
    named = shutil.which(f"python{version}")
    if named is None:
        return None
    command = [named, "-c", "import sys; print(sys.executable)"]
    environment = {**os.environ, "PYENV_VERSION": version}
    tried = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return tried.stdout.strip() if tried.returncode == 0 else None


def pytest_report_header() -> str:
    missing = ", ".join(f"3.{minor}" for minor in MINORS if f"3.{minor}" not in pythons()) or "none"
    return f"packaging: tested on Python {', '.join(pythons())}; not on this machine: {missing}"


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel, as `python -m build` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


class Environment:
    """A clean environment of one Python, with a home of its own."""

    def __init__(self, folder: Path, python: str) -> None:
        self.home = folder / "clean" / "home"
        self.home.mkdir(parents=True)
        self.bin = folder / "clean" / "venv" / "bin"
        run(python, "-m", "venv", self.bin.parent, cwd=folder)

    def install(self, *what: str | Path) -> None:
        run(self.bin / "python", "-m", "pip", "install", "--quiet", *what, cwd=self.home)

    def run(self, program: str, *arguments: str, **environment: str) -> str:
        """Run one of the environment's programs, away from the checkout."""
        mine = {"HOME": str(self.home), "CODEVF_NB_HOME": str(self.home / "codevf_nb")}
        return run(self.bin / program, *arguments, cwd=self.home, **{**mine, **environment})
