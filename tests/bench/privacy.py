"""What the check for secrets and personal data finds, how often it is wrong, how fast it is: ``make bench-privacy``.

Recall is measured on the lists in ``tests/secrets``; false alarms on the code of the standard library and of the
installed packages, as cells of 50 lines, and on the CSV files of three packages. detect-secrets runs on the same texts.
"""

import importlib.util
import random
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from codevf_nb.privacy import PrivateDataError, check
from codevf_nb.privacy._file_readers import Opener
from codevf_nb.privacy._scanner import secrets_at
from tests.secrets.formats import FORMATS, URLS
from tests.secrets.made import shape, spelled
from tests.support.spellings import HARMLESS, SPELLINGS

CELLS = 12_000  # of all that there are, drawn at random
COMPARED = 200  # of these, for detect-secrets, which takes a second for 0.2 MB
PACKAGES = ("vega_datasets", "statsmodels", "sklearn")


def stops(name: str, content: bytes) -> str:
    try:
        check({}, [(name, content)])
    except PrivateDataError as error:
        return str(error)
    return ""


def theirs(text: bytes) -> bool:
    """Whether detect-secrets finds anything in a file of this text, with all of its plugins."""
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    with tempfile.NamedTemporaryFile(suffix=".py") as file, default_settings():
        file.write(text)
        file.flush()
        found = SecretsCollection()
        found.scan_file(file.name)
        return bool(found.json())


def cells() -> Iterator[bytes]:
    paths = sysconfig.get_paths()
    files = sorted({path for root in (paths["stdlib"], paths["purelib"]) for path in Path(root).rglob("*.py")})
    random.Random(1).shuffle(files)
    for path in files:
        lines = path.read_bytes().splitlines(keepends=True)
        for at in range(0, len(lines), 50):
            yield b"".join(lines[at : at + 50])


def recall() -> None:
    tokens = [f'val = "{shape(one)}"' for shapes, _ in FORMATS.values() for one in shapes]
    lists = {
        "formats": tokens,
        "URLs": [f"x = '{spelled(line)}'" for line in URLS],
        "spellings": [spelled(line) for line in SPELLINGS],
        "harmless texts (to pass)": [spelled(line) for line in HARMLESS],
    }
    print(f"{'list':28}{'n':>6}{'codevf_nb':>12}{'detect-secrets':>16}")
    for name, texts in lists.items():
        ours = sum(any(secrets_at(text.encode())) for text in texts)
        other = sum(theirs(text.encode()) for text in texts)
        print(f"{name:28}{len(texts):>6}{ours:>12}{other:>16}")


def false_alarms() -> None:
    looked = stopped = size = 0
    spent = 0.0
    compared: list[bytes] = []
    for cell in cells():
        start = time.process_time()
        told = stops("cell.py", cell)
        spent += time.process_time() - start
        looked, size = looked + 1, size + len(cell)
        if told:
            stopped += 1
            print("  stopped:", told[:110])
        if len(compared) < COMPARED:
            compared.append(cell)
        if looked == CELLS:
            break
    print(f"cells: {stopped} of {looked:,} stopped ({stopped / looked:.3%}), {size / spent / 1e6:.1f} MB/s")
    start = time.process_time()
    found = sum(map(theirs, compared))
    there = sum(map(len, compared))
    speed = there / (time.process_time() - start) / 1e6
    print(f"detect-secrets: {found} of {len(compared)} found something ({found / len(compared):.1%}), {speed:.2f} MB/s")
    print(f"codevf_nb is {size / spent / 1e6 / speed:.0f} times as fast")


def columns() -> None:
    looked = stopped = size = 0
    spent = 0.0
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            print(f"{package} is not installed")
            continue
        for path in sorted(Path(spec.origin).parent.rglob("*.csv")):
            content = path.read_bytes()
            looked += sum(len(table.columns) for part in Opener().parts(path.name, content) for table in part.tables)
            start = time.process_time()
            told = stops(path.name, content)
            spent += time.process_time() - start
            size += len(content)
            stopped += told.count(" column ")
            if told:
                print("  stopped:", told[:200])
    print(f"columns: {stopped} of {looked:,} stopped ({stopped / looked:.2%}), {size / spent / 1e6:.1f} MB/s")


if __name__ == "__main__":
    recall()
    columns()
    false_alarms()
