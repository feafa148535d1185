"""Masked columns."""

import io
import re

import pandas as pd
import pytest

from codevf_nb.attachments import AttachmentError, gather

PEOPLE = pd.DataFrame({"Email": ["a@corp.de", "b@corp.de", None, "a@corp.de"], "n": [1, 2, 3, 4]})


def sent(named: dict, **options) -> dict[str, bytes]:
    return {part.file_name: part.content for part in gather(None, named, **options)}


def test_a_masked_column_keeps_equality_and_nulls_and_nothing_else():
    """Equal values have equal masks, in every table of the question; the values are in no file."""
    other = pd.DataFrame({"email": ["b@corp.de"]})
    files = sent({"people": PEOPLE, "other": other}, redact=["email"])
    emails = pd.read_csv(io.BytesIO(files["people.csv"]))["Email"]
    assert emails[0] == emails[3] != emails[1]
    assert emails.isna().tolist() == [False, False, True, False]
    assert pd.read_csv(io.BytesIO(files["other.csv"]))["email"][0] == emails[1]
    assert not any(b"corp.de" in content for content in files.values())
    assert b"Masked: Email" in files["profile.md"]
    assert PEOPLE["Email"][0] == "a@corp.de"


def test_masks_differ_from_question_to_question():
    """They can't be compared with those of another question, yet the record stays the same: nothing has changed."""
    first, second = (gather(None, {"people": PEOPLE}, redact=["email"])[0] for _ in range(2))
    assert first.content != second.content
    assert first.record() == second.record()


def test_numbers_that_join_have_the_same_mask():
    """7 and 7.0 are the same key to a join."""
    files = sent({"a": pd.DataFrame({"ssn": [7]}), "b": pd.DataFrame({"ssn": [7.0, None]})}, redact=["ssn"])
    assert files["a.csv"].splitlines()[1] == files["b.csv"].splitlines()[1]


def test_data_is_masked_at_any_depth():
    """The names of a dict are columns too."""
    files = sent({"data": {"users": [{"email": "a@corp.de", "n": 1}]}}, redact=["email"])
    assert re.search(rb'"email": "masked-[0-9a-f]{12}"', files["data.json"])


def test_a_slip_in_a_name_sends_nothing():
    """What was to be masked doesn't leave because its name was mistyped."""
    with pytest.raises(
        AttachmentError, match=r"--redact emial: no attached value has this column \(columns: Email, n\)"
    ):
        sent({"people": PEOPLE}, redact=["emial"])
