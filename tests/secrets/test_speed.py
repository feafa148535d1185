"""The check is linear in what it reads, whatever that is, and about as fast as reading it in Python."""

import contextlib
import csv
import io
import random
import re
import string
import sysconfig
import time
from pathlib import Path

import pytest

from codevf_nb.privacy import PrivateDataError, check

WORST = {
    "scheme after scheme": "://",
    "schemes with users": "a://b:c",
    "words in -us and sk-": "task-user desk-used risk-us ",
    "names of secrets": "password password_token api_key ",
    "assignments": "password=",
    "quotes": "password='",
    "escapes": "\\\\\\\\",
    "quoted escapes": '\\"',
    "doubled quotes": '""a',
    "percent signs": "%25",
    "entities": "&amp;amp;",
    "colours": "\x1b[0m",
    "at signs": "a@",
    "domains": "a@b.c.d.",
    "dots": "M" + "a" * 23 + ".",
    "base64": "eyJhbGciOi",
    "keys": '"kty" "d":',
    "signatures": "sig=",
    "hexadecimal": "0123456789abcdef",
    "digits in groups": "4012 8888 ",
    "ibans": "DE89 3704 0044 ",
    "capitals": "AKIA",
    "xml": "<password>",
    "options": "--password ",
    "open brackets": "auth=('",
    "logins": "login ",
    "lines": "\n",
    "blanks": "password" + " " * 40,
    "long name": "pass_",
    "connection strings": "AccountKey=",
}


def seconds(content: bytes, name: str) -> float:
    """The processor's time for one look; what is found makes no difference here."""
    best = float("inf")
    for _ in range(4):
        start = time.process_time()
        with contextlib.suppress(PrivateDataError):
            check({}, [(name, content)])
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("kind", WORST)
def test_four_times_the_text_takes_about_four_times_as_long(kind):
    """No text makes the patterns try one thing over and over: neither on one line nor on many."""
    for unit in (WORST[kind], WORST[kind] + "\n"):
        small = (unit * (3_000 // len(unit))).encode()
        once, four_times = seconds(small, "x.txt"), seconds(small * 4, "x.txt")
        assert four_times < 10 * once + 0.02


def reference(content: bytes) -> float:
    """The time of a plain loop in Python over a text: a look at each word."""
    start = time.process_time()
    seen = 0
    for found in re.finditer(rb"[A-Za-z0-9_]+", content):
        seen += len(found[0]) > 12
    return time.process_time() - start


def test_code_takes_a_few_times_as_long_as_looking_at_each_word():
    """Measured against that loop (about 12 MB/s on one core of 2023): 2 MB/s at least."""
    library = Path(sysconfig.get_paths()["stdlib"])
    code = b"".join(path.read_bytes() for path in sorted(library.glob("*.py")))[:2_000_000]
    assert seconds(code, "code.py") < 6 * reference(code)


def test_a_table_takes_about_as_long_as_looking_at_each_cell():
    """The same for tables, against reading their rows and looking at each cell: 5 MB/s at least."""
    rng = random.Random(1)
    rows = [
        [
            str(n),
            f"{rng.random():.6f}",
            f"{rng.gauss(0, 100):.3f}",
            "".join(rng.choices(string.ascii_lowercase, k=8)),
            "2024-01-02",
        ]
        for n in range(30_000)
    ]
    text = "id,x,y,label,at\n" + "\n".join(",".join(row) for row in rows)
    start = time.process_time()
    seen = sum(cell.isdigit() for row in csv.reader(io.StringIO(text)) for cell in row)
    loop = time.process_time() - start
    assert seen >= 30_000
    assert seconds(text.encode(), "t.csv") < 12 * loop
