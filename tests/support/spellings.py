"""Spellings of secrets, and texts that hold none."""

from pathlib import Path

HERE = Path(__file__).parents[1] / "secrets"


def lines_of(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8").partition("\n\n")[2]
    return [line for line in text.splitlines() if line and not line.startswith("= ")]


SPELLINGS, HARMLESS = lines_of("spellings.txt"), lines_of("harmless.txt")
