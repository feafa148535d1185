"""Files that could not be looked into are named before a question is sent."""

import pandas as pd

BINARY = bytes(range(256)) * 4


def test_a_dry_run_names_what_was_not_looked_into(current, shell, capsys):
    """Each file with the reason, and nothing of those that were read."""
    shell.user_ns.update(blob=BINARY, t=pd.DataFrame({"a": [1]}))
    shell.run_cell_magic("codevf", "Is this right? -a blob,t --dry-run", "x = 1")
    said = capsys.readouterr().out
    assert "not checked for private data: blob.bin (binary)\n" in said
    assert said.count("not checked for private data") == 1
