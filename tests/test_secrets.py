"""Nothing private leaves unseen, and nothing harmless is stopped."""

import base64
import gzip
import io
import json
import re
import uuid
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.attachments import gather
from codevf_nb.privacy import PrivateDataError, check
from tests.support.made_secrets import SECRETS


def refused(texts=(), files=(), **allowed) -> str:
    with pytest.raises(PrivateDataError) as error:
        check(dict(texts), list(files), **allowed)
    return str(error.value)


def passes(texts=(), files=(), **allowed) -> None:
    check(dict(texts), list(files), **allowed)


def files_of(named=(), code=None, **options):
    return [(part.file_name, part.content) for part in gather(code, dict(named), **options)]


def pieces_of(secret: str) -> set[str]:
    """Return pieces of a secret that its name and form don't hold anyway."""
    return {secret[at : at + 6] for at in range(8, len(secret) - 6)}


def as_zip(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", text)
    return packed.getvalue()


PLACES = {
    "the prompt": lambda secret: ({"the prompt": f"Why does this fail?\n{secret}\nThanks"}, []),
    "metadata note": lambda secret: ({"metadata note": {"note": secret}}, []),
    "cell.py line 2": lambda secret: ({}, [("cell.py", f"x = 1\n{secret}\n".encode())]),
    "t.csv column note, row 2": lambda secret: ({}, files_of({"t": pd.DataFrame({"n": [1, 2], "note": ["", secret]})})),
    "profile.md line 1": lambda secret: ({}, [("profile.md", f"| note | {secret} |\n| n | 1 |\n".encode())]),
    "app.log line 3": lambda secret: ({}, [("app.log", f"a\nb\n{secret}\n".encode())]),
    "traceback.md line 1": lambda secret: ({}, [("traceback.md", f"ValueError: {secret}\n".encode())]),
    "context.py line 1": lambda secret: ({}, [("context.py", f"{secret}\n\n".encode())]),
    "d.json": lambda secret: ({}, files_of({"d": {"note": secret}})),
    "a.ipynb": lambda secret: ({}, [("a.ipynb", json.dumps({"cells": [{"source": [f"{secret}\n"]}]}).encode())]),
    "book.xlsx › xl/sharedStrings.xml": lambda secret: ({}, [("book.xlsx", as_zip(secret))]),
    "log.gz": lambda secret: ({}, [("log.gz", gzip.compress(secret.encode()))]),
    "windows.txt": lambda secret: ({}, [("windows.txt", secret.encode("utf-16"))]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_of_each_kind_is_found_in_each_place_and_never_shown(kind, place):
    """The error names kind, place and the ways on in one line; no piece of the secret is in it."""
    secret = SECRETS[kind]
    texts, files = PLACES[place](secret)
    told = refused(texts, files)
    assert kind in told
    assert place in told
    assert "--allow-secrets" in told
    assert "\n" not in told
    assert not [piece for piece in pieces_of(secret) if piece in told and piece not in kind + place]
    passes(texts, files, allow_secrets=True)


def test_the_accounts_own_key_is_never_sent():
    """Not even with both permissions, in whatever place, in whatever it is packed."""
    key = "cvf_test_" + "sandbox"
    for texts, files in [
        ({"the prompt": f"my key is {key}"}, []),
        ({}, [("cell.py", f"x = '{key}'".encode())]),
        ({}, [("book.xlsx", as_zip(key))]),
        ({}, [(f"{key}.txt", b"")]),
    ]:
        told = refused(texts, files, own_key=key, allow_secrets=True, allow_personal=True)
        assert "own CodeVF key" in told
        assert "even with --allow-secrets" in told
        assert key not in told


def test_a_column_of_secrets_is_found():
    """A column that is named like a secret and holds some; a table of language has tokens that are words."""
    told = refused(files=files_of({"users": pd.DataFrame({"id": [1, 2], "password": ["", "hunter"]})}))
    assert "a password (users.csv column password, row 2)" in told
    passes(files=files_of({"words": pd.DataFrame({"token": ["the", "cat"], "count": [3, 1]})}))
    passes(files=files_of({"t": pd.DataFrame({"password_changed": ["2024-01-01"], "token_count": [3]})}))


def test_a_place_whose_name_holds_a_secret_is_not_named():
    """A file or a column may be called like one."""
    secret = SECRETS["a GitHub token"]
    told = refused(files=[(f"{secret}.csv", f"{secret}\n1\n".encode())])
    assert "whose name holds a secret" in told
    assert secret[8:20] not in told


HARMLESS = [
    "password = getpass()",
    'password = os.environ["DB_PASSWORD"]',
    "token = tokens[0]",
    "def login(user: str, password: str = None, token=None): ...",
    "connect(user=user, password=password, token=args.token, api_key=settings.api_key)",
    'api_key = "YOUR_API_KEY"  # <your key>',
    'df = df.drop(columns=["password", "token"])',
    'df["token"] = df["text"].str.split()',
    "max_tokens = 4096; token_count=12345; tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "commit 5f2b0c8e8f1d4a0f9b7e2d3c4b5a69788796a5b4",
    "see https://user.github.io/page:8080/x and http://localhost:8888/lab?tree",
    "author: anna@corp.de, with thanks to ben@corp.de",
    "secret santa; the secret of a good join is the key: customer_id",
    "client = CodeVFClient(api_key=None)  # CODEVF_API_KEY=cvf_live_…",
    "keys: sk-learn, sk-image; hf_hub; SG.x; task-runner-us1",
    "password: ********",
    "Authorization: Bearer $TOKEN",
    "postgresql://user:${PASSWORD}@host/db",
    "for token in doc: print(token.text, token.pos_)",
    "passwords are hashed with bcrypt before they reach us, so password=<hash>",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_secrets_stops_nothing(text):
    """Code that reads a password from somewhere, placeholders, prose, hashes."""
    passes({"the prompt": text}, [("cell.py", text.encode()), ("notes.md", text.encode())])


def test_a_data_scientists_daily_bread_stops_nothing():
    """UUIDs, hashes, timestamps, measurements, base64 in a notebook."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": [str(uuid.UUID(int=int(x))) for x in random.integers(0, 2**62, 2000)],
            "sha": [f"{int(x):040x}" for x in random.integers(0, 2**62, 2000)],
            "at": pd.date_range("2024", periods=2000, freq="min"),
            "epoch_ms": random.integers(1_600_000_000_000, 1_700_000_000_000, 2000),
            "number": random.integers(10**15, 10**16, 2000),
            "price": random.random(2000) * 1e6,
            "name": "Widget",
            "email_sent": random.integers(0, 2, 2000).astype(bool),
            "phone_count": random.integers(0, 4, 2000),
            "ip": "192.168.1.1",
            "address_id": range(2000),
        }
    )
    picture = base64.b64encode(random.bytes(500_000)).decode()
    picture += SECRETS["an AWS access key"] + "abcd" + SECRETS["a Google API key"]  # in a longer run they are none
    notebook = json.dumps({"cells": [{"outputs": [{"data": {"image/png": picture}}]}]}).encode()
    passes(files=[*files_of({"t": frame}), ("a.ipynb", notebook), ("p.png", random.bytes(100_000))])


# A whole number of 13 digits or more may have the checksum of a card, and is then taken for one.
NUMBERS = st.floats().filter(lambda number: not number.is_integer() or abs(number) < 1e12)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=4000), st.lists(NUMBERS, max_size=50), st.lists(st.uuids(), max_size=20))
def test_random_data_stops_nothing(blob, numbers, ids):
    """Bytes, numbers and ids that mean nothing to anybody."""
    table = pd.DataFrame({"id": [str(one) for one in ids], "hex": [one.hex for one in ids]})
    files = files_of({"t": table, "numbers": pd.DataFrame({"x": numbers}), "b": base64.b64encode(blob).decode()})
    passes(files=[*files, ("blob.bin", blob)])


COLUMNS = {
    "e-mail addresses": ("contact", ["anna@corp.de", None, "ben@corp.de"]),
    "phone numbers": ("c1", ["+49 30 1234567", "(030) 765 4321", "212-555-0147"]),
    "card numbers": ("c2", ["4012888888881881", "5555555555554444", "378282246310005"]),
    "IBANs": ("c3", ["DE89370400440532013000", None, None]),
    "social security numbers": ("c4", ["536-22-1234", "219-09-9998", "457-55-5462"]),
    "names of people": ("firstName", ["Anna", "Ben", "Cem"]),
    "postal addresses": ("shipping_address", ["Weg 1", "Allee 2", "Platz 3"]),
    "birthdays": ("date_of_birth", ["1980-01-02", "1990-03-04", "2000-05-06"]),
    "national ids": ("passport_no", ["C01X00T47", "C01X00T48", "C01X00T49"]),
}


@pytest.mark.parametrize("what", COLUMNS)
def test_columns_about_people_stop_it_and_are_named(what):
    """By name or by content; with the ways on, and never a value. Masked, or allowed, they go."""
    column, values = COLUMNS[what]
    table = pd.DataFrame({"n": range(3), column: values})
    told = refused(files=files_of({"people": table}))
    assert f"{what} (people.csv column {column})" in told
    assert f"--redact {column}" in told
    assert "--allow-personal" in told
    assert not any(value in told for value in values if value)
    passes(files=files_of({"people": table}, redact=[column]))
    passes(files=files_of({"people": table}), allow_personal=True)
    assert what in refused(files=[("people.csv", table.to_csv(index=False).encode())])
    assert what in refused(files=files_of({"d": {"people": table.astype(object).to_dict("records")}}))


def test_tables_that_share_a_page_are_looked_at_too():
    """What was put together to keep to five files hides nothing."""
    named = {f"t{i}": pd.DataFrame({"n": range(9 - i)}) for i in range(6)} | {
        "p": pd.DataFrame({"Email": ["a@corp.de"]})
    }
    files = files_of(named)
    assert "tables.md" in dict(files)
    assert "e-mail addresses (p.csv column Email)" in refused(files=files)


def test_in_prose_lists_and_numbers_of_people_stop_it():
    """Three addresses, a card number in groups or an IBAN in a cell; one author's address doesn't."""
    passes(files=[("cell.py", b"# by anna@corp.de\nx = 1")])
    addresses = b"to = ['a@corp.de', 'b@corp.de', 'c@corp.de']"
    assert "3 e-mail addresses (cell.py)" in refused(files=[("cell.py", addresses)])
    assert "a card number (the prompt)" in refused({"the prompt": "charge 4012 8888 8888 1881 again"})
    assert "an IBAN (notes.txt line 2)" in refused(files=[("notes.txt", b"x\nDE89 3704 0044 0532 0130 00\n")])


def test_many_findings_are_one_line():
    """Five are named, the others counted."""
    lines = "\n".join(f"password{i} = 'k9Qz7wLp{i}'" for i in range(12))
    told = refused(files=[("cell.py", lines.encode())])
    assert len(re.findall(r"cell\.py line \d+", told)) == 5
    assert "and 7 more" in told
