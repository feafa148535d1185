"""How far the look for anything private has come is told, in one line, where it takes longer than a moment."""

import _thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb import drafting
from codevf_nb.privacy import _checks as checks
from codevf_nb.privacy import progress as line
from codevf_nb.privacy._parts import Part
from codevf_nb.privacy.progress import looking
from tests.support.made_secrets import SECRETS


class Clock:
    """Seconds that go by with each look at it."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def told(capsys, step: float, calls: int, name: str = "big.csv") -> str:
    with looking(Clock(step)) as tell:
        for number in range(calls):
            tell(name, number << 20, 50 << 20)
    return capsys.readouterr().err


def test_a_moment_is_not_worth_a_line(capsys):
    """Below a second nothing is written at all, however often it is told."""
    assert told(capsys, 0.004, 100) == ""


def test_what_takes_longer_is_told_in_one_line_that_goes(capsys):
    """It is written over itself a few times a second, and blank at the end; no line break moves it."""
    written = told(capsys, 0.1, 100)
    pieces = written.split("\r")
    assert 10 <= len(pieces) <= 45
    assert "big.csv: 20 of 52 MB" in written
    assert "\n" not in written
    assert (pieces[-2].strip(), pieces[-1]) == ("", "")
    assert len({len(piece) for piece in pieces[1:-1]}) == 1


def test_a_name_that_is_private_itself_is_not_told(capsys):
    """The line is on screen and in saved output: a secret in a file's name isn't repeated there."""
    secret = SECRETS["a GitHub token"]
    written = told(capsys, 0.1, 100, f"{secret}.csv")
    assert "whose name" in written
    assert secret not in written


def test_an_interrupted_look_sends_nothing(current, box, tmp_path, monkeypatch, capsys):
    """Ctrl-C in the middle of a large file: the line goes, and nothing has left."""
    (tmp_path / "big.txt").write_bytes(b"a plain line of text\n" * 200_000)
    heard = []

    def slow():
        heard.append(1)
        if len(heard) == 16:
            _thread.interrupt_main()
        return len(heard) * 2.0

    real = line.looking
    monkeypatch.setattr(drafting, "looking", lambda: real(slow))
    with pytest.raises(KeyboardInterrupt):
        current.ask(current.draft("Is this log all right?", files=(str(tmp_path / "big.txt"),)))
    assert not [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]
    written = capsys.readouterr().err
    assert "big.txt" in written
    assert written.endswith(" \r")


LINES = st.lists(st.sampled_from([*SECRETS.values(), "x = 1", "some text here", ""]), min_size=1, max_size=12)


@given(lines=LINES, piece=st.integers(10, 400))
def test_what_stands_between_two_pieces_is_found_once(lines, piece):
    """However a text is cut for reading, the same is found in it at the same places."""
    part = Part("a.py", "\n".join(lines).encode(), is_prose=True)
    whole = set(checks._in_pieces(part, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_BATCH", piece)
        patch.setattr(checks, "_OVERLAP", 300)
        found = list(checks._in_pieces(part, None))
    assert sorted(found) == sorted(whole)
