"""The automated reviewer: what it finds it can show, and it finds nothing where nothing is."""

import json

import pytest

from codevf_nb.sandbox._reviewer import Document, review

from .conftest import text_file

ORDERS = "order_id,customer_id,amount\n" + "".join(f"{n},{n % 7 + 1},{n * 10}\n" for n in range(1, 21))
CUSTOMERS = "customer_id,name\n" + "".join(f"{n},name {n}\n" for n in range(1, 6))


def found(name, text, *others):
    """The rules that strike one file, with their lines."""
    documents = [Document(file, "text/plain", content.encode()) for file, content in ((name, text), *others)]
    return {(item.rule, item.line) for item in review(documents).findings}


@pytest.mark.parametrize(
    ("code", "rule", "line"),
    [
        ("def f(a=[]):\n    return a\n", "mutable-default", 1),
        ("def f(*, a=dict()):\n    return a\n", "mutable-default", 1),
        ("try:\n    x = 1\nexcept:\n    x = 2\n", "bare-except", 3),
        ("try:\n    x = 1\nexcept Exception:\n    pass\n", "silent-except", 3),
        ("import math\nok = 1 == math.nan\n", "compare-nan", 2),
        ("ok = 1 != float('nan')\n", "compare-nan", 1),
        ("def f(x):\n    return x == None\n", "compare-none", 2),
        ("def f(x):\n    return x == 0.1\n", "compare-float", 2),
        ("def f(df):\n    df[df.a > 1]['b'] = 2\n", "chained-assignment", 2),
        ("def f(df):\n    df['b'][df.a > 1] = 2\n", "column-then-mask", 2),
        ("def f(df):\n    df = df.dropna(inplace=True)\n    return df\n", "inplace-result", 2),
        ("def f(rows):\n    rows = rows.append(1)\n    return rows\n", "append-result", 2),
        ("def f():\n    return 1\n    print()\n", "unreachable", 3),
        ("list = [1]\n", "shadowed-builtin", 1),
        ("def mean(xs):\n    return sum(xs) / len(xs)\n", "divide-by-len", 2),
        ("def f(xs):\n    for x in xs:\n        xs.remove(x)\n", "changed-while-read", 3),
        ("def f(s, X_test):\n    return s.fit_transform(X_test)\n", "fit-on-test", 2),
        ("import pandas as pd\ndef f(a, b):\n    return pd.merge(a, b)\n", "merge-without-how", 3),
        ("def f(x):\n    return x is 'a'\n", "IsLiteral", 2),
        ("import os\n", "UnusedImport", 1),
        ("print(missing)\n", "UndefinedName", 1),
        ("def f(:\n", "syntax", 1),
    ],
)
def test_a_defect_in_python_is_found_where_it_is(code, rule, line):
    """Each defect is reported once, by its rule and line, and nothing else is."""
    assert found("module.py", code) == {(rule, line)}


@pytest.mark.parametrize(
    "code",
    [
        "def f(a=None, b=(), c=0):\n    return a, b, c\n",
        "def f(m):\n    m[0][1] = 2\n    m['a']['b'] = 3\n",
        "def f(m, k):\n    m[0][k > 1] = 2\n",
        "from torch import nn\nact = nn.ReLU(inplace=True)\n",
        "class A:\n    id: int = 1\n    def filter(self):\n        return [sum for sum in ()]\n",
        "def f():\n    return\n    yield\n",
        "def mean(xs):\n    return sum(xs) / len(xs) if xs else 0\n",
        "def f(xs):\n    for x in xs:\n        print(x / len(xs))\n",
        "def f(xs):\n    for x in xs:\n        if x:\n            xs.remove(x)\n            break\n",
        "def f(xs):\n    return '%d' % len(xs)\n",
        "try:\n    x = 1\nexcept:\n    x = 2\n    raise\n",
        "class A:\n    def mean(self):\n        return 1 / len(self)\n",
        "def f(x):\n    return x == 0.5 or x == 1.0 or x is None\n",
        "def f(a, b):\n    return a.merge(b, on='k', how='left')\n",
        "def f(repository, branch):\n    return repository.merge(branch)\n",
    ],
)
def test_what_only_looks_like_a_defect_is_none(code):
    """Code that is right, but resembles a defect, has no finding."""
    assert found("module.py", code) == set()


def test_ipythons_lines_are_left_out(api):
    """A cell's magics and shell lines are no syntax errors, are said to be left out, and lines keep their numbers."""
    cell = "%matplotlib inline\n!ls\nfiles = !ls\n?df\nif files:\n    %time x = 1\ndef f(a=[]): return a, df\n"
    done = api.answered(attachments=[text_file("cell.py", cell)])
    message = done["result"]["message"]
    assert "`cell.py:7` (high)" in message
    assert "**1 finding in 1 file**" in message
    assert "5 lines for IPython" in message


def test_percent_signs_of_python_are_pythons():
    """A module that parses as it is loses no line: `%` may begin a continued line."""
    assert found("module.py", "x = ('%d'\n% 1)\nprint(x, gone)\n") == {("UndefinedName", 3)}


def test_a_cells_names_may_come_from_elsewhere():
    """In one cell undefined names and unused imports are no findings."""
    assert found("cell.py", "import os\nmerged = orders.head()\n") == set()


def test_a_notebook_is_read_as_one_program():
    """Names go from cell to cell, findings name the cell and its line, a %%bash cell is not Python."""
    cells = ["import math\n", "%%bash\nls", "x = math.pi\n\ndef f(a=[]):\n    return a, x\n", "def broken(:\n"]
    text = json.dumps({"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]})
    findings = review([Document("n.ipynb", "application/x-ipynb+json", text.encode())]).findings
    assert {(item.file, item.line, item.rule) for item in findings} == {
        ("n.ipynb cell 3", 3, "mutable-default"),
        ("n.ipynb cell 4", 1, "syntax"),
    }
    assert found("n.ipynb", "{") == {("notebook", None)}


@pytest.mark.parametrize(
    ("rows", "rule", "line"),
    [
        ("1,a\n2\n3,c\n", "ragged-rows", 3),
        ("1,a\n2,b\n1,a\n", "repeated-rows", 4),
        ("1,a\n2,\n", "many-empty-cells", 3),
        ("1,a\n2, b\n", "blanks", 3),
        ("".join(f"{n},{n}\n" for n in range(20)) + "20,n/a\n", "mixed-types", 22),
        ("".join(f"{n},2026-01-{n + 10}\n" for n in range(15)) + "15,1/2/2026\n", "mixed-dates", 17),
        ("".join(f"{n},same\n" for n in range(12)), "constant-column", 2),
        ("".join(f"{n},x{n}\n" for n in range(20)) + "3,y\n", "repeated-keys", 22),
    ],
)
def test_a_defect_in_a_table_is_found_where_it_is(rows, rule, line):
    """Each defect of a CSV is reported once, by its rule and row."""
    assert found("t.csv", "id,value\n" + rows) == {(rule, line)}


def test_a_clean_table_has_no_finding():
    """Foreign keys may repeat, pandas' index has no name, quoted line breaks are one row."""
    assert found("orders.csv", ORDERS) == set()
    assert found("t.csv", ',a\n0,"x\ny"\n1,z\n') == set()
    assert found("semicolons.csv", "a;b\n1,5;2\n") == set()


def test_keys_missing_between_tables_are_counted():
    """Rows whose key the other table lacks are counted, with the keys that would match but for blanks."""
    findings = review(
        [Document("orders.csv", "", ORDERS.encode()), Document("customers.csv", "", CUSTOMERS.encode())]
    ).findings
    (item,) = findings
    assert (item.rule, item.file, item.line, item.column) == ("missing-keys", "orders.csv", 6, "customer_id")
    assert "2 of 7 keys (6 of 20 rows) are not in customers.csv" in item.message
    orders, other = ORDERS.replace(",7,", ",G,"), CUSTOMERS + "6,six\n g,seven\n8,eight\n"
    messages = [
        item.message
        for item in review([Document("o.csv", "", orders.encode()), Document("c.csv", "", other.encode())]).findings
    ]
    assert any(
        "1 would be, but for blanks" in message and "The other way round: 2 keys" in message for message in messages
    )


def test_a_join_that_drops_rows_of_what_is_attached(api):
    """The reviewer counts the rows that the code's inner join would drop from the attached tables."""
    code = 'merged = orders.merge(customers, on="customer_id")\n'
    files = [text_file("cell.py", code), text_file("orders.csv", ORDERS), text_file("customers.csv", CUSTOMERS)]
    message = api.answered(attachments=files)["result"]["message"]
    assert "`cell.py:1` (high): This inner join drops 6 of the 20 attached rows of `orders`" in message
    for how, lost in (("left", False), ("inner", True)):
        kept = code.replace(")", f', how="{how}")')
        rules = {rule for rule, _ in found("cell.py", kept, ("orders.csv", ORDERS), ("customers.csv", CUSTOMERS))}
        assert ("join-drops-rows" in rules) is lost


def test_a_join_that_multiplies_rows():
    """A key that repeats on both sides of a join is reported, whatever its how."""
    twice = CUSTOMERS + "1,again\n6,f\n7,g\n"
    code = 'm = orders.merge(customers, on="customer_id", how="left")\n'
    assert ("join-multiplies-rows", 1) in found("cell.py", code, ("orders.csv", ORDERS), ("customers.csv", twice))


def test_every_message_says_first_that_it_is_automated(api):
    """With findings, without, and with nothing attached: the first sentence is the same."""
    for files in ([], [text_file("a.py", "x = 1\n")], [text_file("a.py", "import os\n")], [text_file("a.xyz", "?")]):
        message = api.answered(attachments=files)["result"]["message"]
        assert message.startswith("This answer is automated: the CodeVF sandbox wrote it, and no person")


def test_nothing_found_is_said_as_that(api):
    """Where nothing was found there is no deliverable, and the message says what was checked."""
    result = api.answered(attachments=[text_file("a.py", "x = 1\n"), text_file("b.png", "")])["result"]
    assert result["deliverables"] == []
    assert "Nothing was found" in result["message"]
    assert "`a.py`: 2 lines" in result["message"]
    assert "`b.png`: not read" in result["message"]


def test_findings_cost_a_little_more(api):
    """The charge is a base share of the hold plus two credits a finding and one a KiB read."""
    plain = api.answered(tagId=5)["creditsUsed"]
    padding = "# " + "x" * 2046
    more = api.answered(tagId=5, attachments=[text_file("a.py", f"import os\n{padding}\n")])["creditsUsed"]
    assert (plain, more) == (96, 96 + 2 + 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.py", b"(" * 5000),
        ("deep.py", b"x = " + b"-" * 20_000 + b"1"),
        ("a.py", b"\x00\xff\xfe"),
        ("deep.json", b"[" * 100_000),
        ("a.json", b"1" * 10_000),
        ("a.csv", b"a,b\n\x00,1\n" + b'"' + b"x" * 200_000),
        ("a.csv", b""),
        ("a.ipynb", b'{"cells": [{"cell_type": "code", "source": 5}]}'),
        ("a.ipynb", b"[]"),
        ("`rm`\n#.csv", b"a,a\n`1`,{x}\n"),
    ],
)
def test_hostile_files_are_survived(name, content):
    """Whatever is in a file, the review ends with an answer."""
    assert review([Document(name, "", content)]).message


def test_large_files_are_read_in_part_and_it_is_said():
    """Of a large file only the beginning is read; what the cut breaks is no finding."""
    rows = "id,value\n" + "".join(f"{n},{'x' * 60}{n}\n" for n in range(40_000))
    answer = review([Document("t.csv", "", rows.encode())])
    assert answer.findings == ()
    assert "Only its first 2048 KiB were read" in answer.message
    code = "x = [\n" + "1,\n" * 100_000 + "]\n"
    assert review([Document("m.py", "", code.encode())]).findings == ()


def test_a_table_read_in_part_is_not_compared():
    """Keys that may stand in the unread rest of a table are not reported as missing from it."""
    every, half = ("id\n" + "".join(f"{n}\n" for n in range(rows)) for rows in (60_000, 30_000))
    last = "id\n59999\n"
    assert found("last.csv", last, ("every.csv", every)) == set()
    assert found("last.csv", last, ("every.csv", half)) == {("missing-keys", 2)}


def test_findings_in_csv_are_no_formulas():
    """A file name that begins like a formula stays text in a spreadsheet."""
    table = review([Document("=cmd.py", "", b"import os\n")]).table
    assert "'=cmd.py" in table
