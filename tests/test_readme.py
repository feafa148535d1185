"""The README and docs/ are right: their code runs, their commands exist, and their tables say what the code says.

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
README = "README.md"
PAGES = [
    README,
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
OPTIONS_PAGE = TEXTS["docs/options.md"]
FENCE = re.compile(
    r"^(?:<!-- checked, not run: (?P<why>.+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A block of code in a page, at its line."""

    page: str
    language: str
    code: str
    line: int
    runs: bool


BLOCKS = [
    Block(page, found["language"], found["code"], text[: found.start("code")].count("\n") + 1, found["why"] is None)
    for page, text in TEXTS.items()
    for found in FENCE.finditer(text)
]
PYTHON_PAGES = sorted({block.page for block in BLOCKS if block.language == "python"})


def test_every_block_is_of_a_kind_that_is_tested():
    """No block is in a language that no test runs, and no fence is open or indented."""
    assert {block.language for block in BLOCKS} == {"python", "bash"}
    assert sum(text.count("```") for text in TEXTS.values()) == 2 * len(BLOCKS)


def test_the_readme_is_one_that_a_newcomer_reads():
    """At most 150 lines, with a link to every page in docs/."""
    assert len(TEXTS[README].splitlines()) <= 150
    assert {page for page in PAGES if page != README} <= set(re.findall(r"\]\(([^)]+)\)", TEXTS[README]))


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page):
    """Each relative link and picture; `#…` is a heading of the page that it names."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[page]):
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles], link


# -- Python


@pytest.fixture
def reader(shell, own_home, monkeypatch):
    """A shell as a reader has it, and a sandbox that answers at once."""
    home = own_home / "codevf_nb"
    box = process.start(home, clock="virtual")
    monkeypatch.setenv("CODEVF_API_KEY", box.api_key)
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.chdir(ROOT / "notebooks")
    yield shell
    kernel.forget()
    process.stop(home)


@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_python_blocks_run_in_order(reader, capsys, page):
    """One after the other in one IPython, with magics. The README makes its data; other pages have the examples'."""
    if page != README:
        reader.user_ns |= {name: pd.read_csv(f"data/{name}.csv") for name in ("orders", "customers")}
    for block in [block for block in BLOCKS if block.page == page and block.language == "python"]:
        assert reader.transform_cell(block.code).strip()
        if block.runs:
            result = reader.run_cell(block.code)
            assert result.success, f"{page}:{block.line}: {result.error_before_exec or result.error_in_exec!r}"
    if page == README:
        printed = capsys.readouterr().out
        assert "may cost at most 612 credits" in printed
        assert "completed" in printed


def test_the_pictures_are_there():
    """With a description; that they show the README's cell is tested in tests/browser."""
    pictured = [
        (ROOT / page).parent / name
        for page, text in TEXTS.items()
        for name in re.findall(r"!\[[^\]]{40,}\]\((\S+\.png)\)", text)
    ]
    assert [path.name for path in pictured] == ["answer.png", "picker.png"]
    for path in pictured:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 1_000_000


# -- bash


def commands() -> list[tuple[str, list[str]]]:
    """Every command of the bash blocks, as its words; comments and line breaks within a command are bash's."""
    found = []
    for block in [block for block in BLOCKS if block.language == "bash"]:
        for line in block.code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                found.append((f"{block.page}:{block.line}", words))
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
    for block in [block for block in BLOCKS if block.language == "bash"]:
        subprocess.run([str(shutil.which("bash")), "-n"], input=block.code, text=True, check=True, timeout=20)


@pytest.mark.parametrize(
    ("place", "words"), commands(), ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_a_command_is_there(place, words):
    """Each names a target, module, extra or subcommand that exists. (`make demo` and the like run in CI themselves.)"""
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    program = PROGRAMS.get(Path(words[0]).name)
    assert program is not None, f"{place}: no test knows how to check {words[0]}"
    program(*words[1:])


# -- tables


def option_rows() -> dict[str, str | None]:
    """The table of options: long spelling → short one."""
    table = OPTIONS_PAGE.partition("| option | meaning |\n| --- | --- |\n")[2].partition("\n\n")[0]
    found: dict[str, str | None] = {}
    for row in table.splitlines():
        for spellings in row.split("|")[1].split(";"):
            names = re.findall(r"`(-[^`]+)`", spellings)
            found[names[-1]] = names[0] if len(names) == 2 else None
    return found


def test_page_help_and_parser_have_the_same_options():
    """Option by option, in the same order, with the same short forms and values."""
    in_grammar = {option.long: option.short for option in OPTIONS}
    assert list(option_rows().items()) == list(in_grammar.items())
    in_help = re.findall(r"^  (?:(-\w), )?(--[\w-]+)(?: (\S+))?  ", help_text(), re.M)
    assert in_help == [(option.short or "", option.long, option.metavar or "") for option in OPTIONS]


def test_every_option_says_what_it_does_in_both():
    """No row of the table and no line of the help is empty."""
    for option in OPTIONS:
        assert len(option.help) > 10
        assert re.search(rf"`{option.long}`[^|]*\| \S.{{8,}} \|", OPTIONS_PAGE), option.long


def test_the_page_of_options_names_every_subcommand():
    """Those that `%codevf help` lists beside itself, and no others."""
    listed = re.search(r"the subcommands: ((?:`\w+`[,.\s]+)+)", OPTIONS_PAGE)
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(COMMANDS) - {"help"}


def test_readme_and_help_tell_one_version():
    """The package's version is the one that is built."""
    import codevf_nb

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert codevf_nb.__version__ == project["version"]
    assert sys.version_info >= tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))
