"""The README keeps its word: its code runs, its commands exist, and its tables say what the code says.

A block that can't run here (it needs a key, say) has ``<!-- checked, not run: why -->`` on the line before it, and is
still read by Python or by bash.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from codevf_nb import cli, kernel
from codevf_nb.notebook.commands import COMMANDS, help_text
from codevf_nb.questions.options import LINE_OPTIONS as OPTIONS
from codevf_nb.sandbox import process

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(
    r"^(?:<!-- checked, not run: (?P<why>.+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A block of code in the README, at its line."""

    language: str
    code: str
    line: int
    runs: bool


BLOCKS = [
    Block(found["language"], found["code"], TEXT[: found.start("code")].count("\n") + 1, found["why"] is None)
    for found in FENCE.finditer(TEXT)
]


def blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def test_every_block_is_of_a_kind_that_is_tested():
    """A block in another language would be one that nobody holds to anything."""
    assert {block.language for block in BLOCKS} == {"python", "bash"}
    assert TEXT.count("\n```") == 2 * len(BLOCKS), "a fence that isn't closed, or indented"


# -- Python


@pytest.fixture
def reader(shell, own_home, monkeypatch):
    """A shell as the README's reader has it: the example data in two variables, and a sandbox that doesn't tarry."""
    home = own_home / "codevf_nb"
    box = process.start(home, clock="virtual")
    monkeypatch.setenv("CODEVF_API_KEY", box.api_key)
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.chdir(ROOT / "notebooks")
    shell.user_ns |= {name: pd.read_csv(f"data/{name}.csv") for name in ("orders", "customers")}
    yield shell
    kernel.forget()
    process.stop(home)


def test_python_blocks_run_in_order(reader, capsys):
    """One after the other in one IPython, magics included; what one defines the next may use."""
    for block in blocks("python"):
        assert reader.transform_cell(block.code).strip()
        if block.runs:
            result = reader.run_cell(block.code)
            assert result.success, f"README.md:{block.line}: {result.error_before_exec or result.error_in_exec!r}"
    told = capsys.readouterr().out
    assert "may cost at most 612 credits" in told
    assert "completed" in told


def test_the_pictures_are_there():
    """With words for who can't see them; that they are of what the README shows is held in tests/browser."""
    pictured = re.findall(r"!\[[^\]]{40,}\]\((\S+\.png)\)", TEXT)
    assert pictured == ["notebooks/images/answer.png", "notebooks/images/picker.png"]
    for name in pictured:
        assert (ROOT / name).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / name).stat().st_size < 1_000_000


# -- bash


def commands() -> list[tuple[int, list[str]]]:
    """Every command of the bash blocks, as its words; comments and line breaks within a command are bash's."""
    found = []
    for block in blocks("bash"):
        for line in block.code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                found.append((block.line, words))
    return found


def make(*targets: str) -> None:
    """The targets are there, and what they need is; nothing is made."""
    dry = [str(shutil.which("make")), "--dry-run", *targets]
    subprocess.run(dry, cwd=ROOT, check=True, capture_output=True, timeout=60)


def python(*words: str) -> None:
    """The module is there; pip's extras are the project's, and codevf_nb takes these arguments."""
    assert words[0] == "-m", words
    module, rest = words[1], words[2:]
    if module == "pip":
        pip(*rest)
    elif module == "codevf_nb.cli":
        codevf_nb(*rest)
    else:
        assert find_spec(module), module


def pip(*words: str) -> None:
    """The extras and the dependency groups are the project's."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert words[0] == "install", words
    for extra in re.findall(r"\[([\w,]+)\]", " ".join(words)):
        assert set(extra.split(",")) <= set(declared["project"]["optional-dependencies"]), extra
    groups = {after for word, after in pairwise(words) if word == "--group"}
    assert groups <= set(declared["dependency-groups"]), groups


def codevf_nb(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--help"])
    assert ended.value.code == 0


PROGRAMS = {"make": make, "python": python, "python3": python, "pip": pip, "codevf-nb": codevf_nb}


def test_bash_blocks_are_bash():
    """Bash itself reads them."""
    for block in blocks("bash"):
        subprocess.run([str(shutil.which("bash")), "-n"], input=block.code, text=True, check=True, timeout=20)


@pytest.mark.parametrize(("line", "words"), commands(), ids=lambda value: value if isinstance(value, int) else value[0])
def test_a_command_is_there(line, words):
    """Each names a target, module, extra or subcommand that exists. (`make demo` and the like run in CI themselves.)"""
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    program = PROGRAMS.get(Path(words[0]).name)
    assert program is not None, f"README.md:{line}: no test knows how to check {words[0]}"
    program(*words[1:])


# -- tables


def option_rows() -> dict[str, str | None]:
    """The README's table of options: long spelling → short one."""
    table = TEXT.partition("| option | meaning |\n| --- | --- |\n")[2].partition("\n\n")[0]
    found: dict[str, str | None] = {}
    for row in table.splitlines():
        for spellings in row.split("|")[1].split(";"):
            names = re.findall(r"`(-[^`]+)`", spellings)
            found[names[-1]] = names[0] if len(names) == 2 else None
    return found


def test_readme_help_and_parser_have_the_same_options():
    """Option by option, in the same order, with the same short forms and values."""
    in_grammar = {option.long: option.short for option in OPTIONS}
    assert list(option_rows().items()) == list(in_grammar.items())
    in_help = re.findall(r"^  (?:(-\w), )?(--[\w-]+)(?: (\S+))?  ", help_text(), re.M)
    assert in_help == [(option.short or "", option.long, option.metavar or "") for option in OPTIONS]


def test_every_option_says_what_it_does_in_both():
    """No row of the table and no line of the help is empty."""
    for option in OPTIONS:
        assert len(option.help) > 10
        assert re.search(rf"`{option.long}`[^|]*\| \S.{{8,}} \|", TEXT), option.long


def test_the_readme_names_every_subcommand():
    """Those that `%codevf help` lists beside itself, and no others."""
    listed = re.search(r"the subcommands: ((?:`\w+`[,.\s]+)+)", TEXT)
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(COMMANDS) - {"help"}


def test_readme_and_help_tell_one_version():
    """The package's version is the one that is built."""
    import codevf_nb

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert codevf_nb.__version__ == project["version"]
    assert sys.version_info >= tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
