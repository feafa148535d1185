"""When two questions are the same: what the user said decides, over a real service and in earlier ledgers."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import codevf_nb as cvf
from codevf_nb.accounts import settings as places
from codevf_nb.delivery import OtherProjectError
from codevf_nb.delivery.service_info import TAGS_SECONDS
from codevf_nb.ledger import Change, Store, sqlite_url
from codevf_nb.ledger._digests import Digests
from codevf_nb.notebook.magics import CodeVFUserError
from codevf_nb.sdk.exceptions import InvalidTagError
from codevf_nb.session import Session

PROMPT = "Is this cell right, do you think?"
DATA = Path(__file__).parent / "data"


def ask(session, prompt=PROMPT, code="x = 1", **said):
    return session.ask(session.draft(prompt, code=code, **said))


def creates(box):
    return [path for _, path, _, _ in box.requests() if path.endswith("tasks/create")]


def requests_of(box, action):
    """The requests that an action has caused."""
    before = len(box.requests())
    action()
    return [path for _, path, _, _ in box.requests()[before:]]


def visit(folder, monkeypatch):
    """Start a kernel in another folder."""
    folder.mkdir(exist_ok=True, parents=True)
    monkeypatch.chdir(folder)
    places.folder_name.cache_clear()


# -- an option that was not given is "not given"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_make_no_other_question(box, current, ends):
    """An editor of another system writes the same cell."""
    first = ask(current, code="a = 1\nb = 2\n", prompt="Is this cell\nright, do you think?")
    again = ask(current, code=ends.join(("a = 1", "b = 2", "")), prompt=f"Is this cell{ends}right, do you think?")
    assert (again.id, again.entry.code) == (first.id, "a = 1\nb = 2")


def test_another_folder_asks_the_same(box, kernel, tmp_path, monkeypatch):
    """A kernel that starts in another folder finds what was asked: nobody has named a project."""
    ids = set()
    for folder in ("repo/analysis", "repo", "moved"):
        visit(tmp_path / folder, monkeypatch)
        ids.add(ask(kernel()).id)
    assert (len(ids), len(creates(box))) == (1, 1)


def test_the_folder_is_fixed_once_per_kernel(box, shell, current, tmp_path, monkeypatch):
    """``%cd`` and a deleted folder change no question, and no project of the questions that follow."""
    project = places.folder_name()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (tmp_path / "sub").rmdir()
    assert current.draft(PROMPT).project == project
    monkeypatch.chdir(tmp_path)


def test_a_deleted_folder_is_no_obstacle(box, kernel, tmp_path, monkeypatch):
    """A kernel whose folder is gone asks under a name that needs no folder."""
    visit(tmp_path / "gone", monkeypatch)
    (tmp_path / "gone").rmdir()
    assert ask(kernel()).entry.project == "notebook"
    monkeypatch.chdir(tmp_path)


def test_the_notebook_s_folder_counts_before_the_working_folder(monkeypatch, tmp_path):
    """A runner starts a kernel where it was started itself; Jupyter tells the kernel where its notebook is."""
    visit(tmp_path, monkeypatch)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/somebody/sales/report.ipynb")
    places.folder_name.cache_clear()
    assert places.folder_name() == "sales"


def test_the_same_cell_in_another_folder_about_other_data_is_refused(box, kernel, tmp_path, monkeypatch):
    """Nobody can tell whether the old answer is meant, so nothing is paid and nothing is shown; both ways on work."""
    frames = {"jan": pd.DataFrame({"x": [1, 2]}), "feb": pd.DataFrame({"x": [1, 2, 3]})}
    visit(tmp_path / "jan", monkeypatch)
    january = ask(kernel(), attach={"orders": frames["jan"]})
    visit(tmp_path / "feb", monkeypatch)
    assert ask(kernel(), attach={"orders": frames["jan"]}).id == january.id
    with pytest.raises(OtherProjectError) as refused:
        ask(kernel(), attach={"orders": frames["feb"]})
    assert len(creates(box)) == 1
    for way in ("-p feb", "--again 2", f"%codevf show {january.id}", "orders", "Nothing was sent."):
        assert way in str(refused.value)
    assert ask(kernel(), attach={"orders": frames["feb"]}, project="feb").id != january.id
    assert ask(kernel(), attach={"orders": frames["feb"]}, again=2).entry.project == "feb"


def test_in_the_same_folder_changed_data_is_reported(box, kernel, tmp_path, monkeypatch):
    """Where the project is the same, the old answer is shown with what changed."""
    visit(tmp_path / "jan", monkeypatch)
    ask(kernel(), attach={"orders": pd.DataFrame({"x": [1]})})
    again = ask(kernel(), attach={"orders": pd.DataFrame({"x": [1, 2]})})
    assert again.repeated.changed == (Change("orders", (1, 2)),)


# -- the look-up comes before tags, project and price


def test_a_repeat_needs_no_request(box, account, kernel):
    """A finished notebook can be run while the service is away: nothing is resolved before the look-up."""
    first = ask(kernel(), tag="engineer", project="p", mode="fast").wait(20)
    fresh = kernel(of=replace(account, base_url="http://127.0.0.1:9/api/v1/"))
    assert requests_of(box, lambda: ask(fresh, tag="engineer", project="p", mode="fast")) == []
    assert ask(fresh, tag="engineer", project="p", mode="fast").message == first.message


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["fast", "standard"]),
            "tag": st.sampled_from(["engineer", "vibe-coder", "1"]),
            "max_credits": st.integers(240, 900),
            "project": st.sampled_from(["p", "q"]),
        },
    ),
    multipliers=st.lists(st.integers(1, 90), min_size=3, max_size=3),
    inactive=st.sets(st.integers(0, 2), max_size=2),
)
def test_whatever_options_resolve_to_the_question_stays(box, kernel, monkeypatch, said, multipliers, inactive):
    """New prices, retired tags and other defaults change neither what is found nor what it costs."""
    session = kernel("any")
    number = len(creates(box))
    prompt = f"Is this cell right? {said} {multipliers} {sorted(inactive)}"
    first = ask(session, prompt, **said)
    tags = [
        replace(tag, cost_multiplier=Decimal(multiplier), is_active=at not in inactive)
        for at, (tag, multiplier) in enumerate(zip(session.tags(), multipliers, strict=False))
    ]
    session.ledger.catalogue.keep_tags(tags, session.ledger.clock())
    other = session.draft(prompt, code="x = 1", **said)
    other = replace(other, defaults=replace(other.defaults, mode="fast", tag="vibe-coder", max_credits=777))
    assert session.ask(other).id == first.id
    assert len(creates(box)) - number <= 1
    session.tags(refresh=True)


def test_a_retired_tag_shows_its_old_answer(box, kernel):
    """A finished notebook with ``--tag`` runs after the tag is gone; only a new question with it is refused."""
    session = kernel()
    first = ask(session, tag="engineer")
    retired = [replace(tag, is_active=False) if tag.name == "engineer" else tag for tag in session.tags()]
    session.ledger.catalogue.keep_tags(retired, session.ledger.clock())
    assert ask(session, tag="Engineer").id == first.id
    with pytest.raises(InvalidTagError, match="Nothing was sent"):
        ask(session, prompt="Is this other cell right?", tag="engineer")


@pytest.mark.parametrize(("age", "listed"), [(TAGS_SECONDS - 1, 0), (TAGS_SECONDS + 1, 1)])
def test_prices_of_yesterday_are_listed_again(box, kernel, clock, age, listed):
    """A price is shown and held against the budget as it is today: tags older than a day are listed again."""
    assert TAGS_SECONDS == 24 * 3600
    ask(kernel())
    clock.now += age
    paths = requests_of(box, lambda: ask(kernel(), prompt="Is this other cell right?"))
    assert sum(path.endswith("/tags") for path in paths) == listed


def test_a_project_that_was_deleted_is_made_again(box, kernel):
    """The refused attempt has cost nothing, so the question goes out under the project's new number."""
    session = kernel()
    session.ledger.catalogue.keep_project("p", 4711)
    task = ask(session, project="p")
    assert (task.status, session.ledger.catalogue.project("p") == 4711) == ("pending", False)
    assert len(creates(box)) == 2


# -- contents count where nobody gave a name


def test_a_loop_over_tables_asks_about_each(box, current):
    """``attach=[df]`` names nothing, so that each table is a question of its own, and each of them asked once."""
    tables = [pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [1, 2, 900]}), pd.DataFrame({"z": ["other"]})]
    ids = [cvf.ask("Which rows of this table are outliers?", attach=[table]).id for table in (*tables, *tables)]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == len(creates(box)) == 3


def test_files_of_one_name_are_asked_about_each(box, current, tmp_path):
    """``jan/data.csv`` and ``feb/data.csv`` are two files; a copy in a third folder is the same question."""
    paths = [tmp_path / month / "data.csv" for month in ("jan", "feb", "copy")]
    for path, text in zip(paths, ("a\n1\n", "a\n2\n", "a\n1\n"), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    ids = [cvf.ask("Is this file complete, do you think?", files=path).id for path in paths]
    assert ids[0] == ids[2] != ids[1]


def test_a_name_stands_for_its_contents(box, current):
    """A cell that names its table is the same question after the data has changed: that is reported, not paid."""
    first = cvf.ask("Which rows are outliers here?", attach={"df": pd.DataFrame({"x": [1]})})
    again = cvf.ask("Which rows are outliers here?", attach={"df": pd.DataFrame({"x": [1, 2]})})
    assert (again.id, again.repeated.changed) == (first.id, (Change("df", (1, 2)),))


# -- ledgers of earlier versions


@pytest.fixture
def earlier(account, box, tmp_path, monkeypatch):
    """A session on a ledger that was written by the version before, in a folder called shop."""
    visit(tmp_path / "shop", monkeypatch)
    Path("data.csv").write_text("a,b\n1,2\n")
    path = places.home() / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((DATA / "ledger-3.sql").read_bytes().decode())
    session = Session(account, Store(sqlite_url(path)))
    session.watcher.stop()
    yield session
    session.close()


ORDERS = pd.DataFrame({"order_id": range(30), "total": [1.5] * 30})
JOIN = {"prompt": "Is this join dropping rows?", "code": "a.merge(b)"}
# What is asked today → the number of the question in the ledger of then. None: another question.
ASKED_THEN = {
    "as it was": (JOIN, 1),
    "without a prompt": ({"code": "x = 1"}, 2),
    "with options": ({**JOIN, "mode": "fast", "tag": "engineer", "max_credits": 300}, 3),
    "with the tag's number": ({**JOIN, "mode": "fast", "tag": 1, "max_credits": 300}, 3),
    "with another tag": ({**JOIN, "mode": "fast", "tag": "vibe-coder", "max_credits": 300}, None),
    "with other credits": ({**JOIN, "mode": "fast", "tag": "engineer", "max_credits": 301}, None),
    "in a project": (
        {"prompt": "Is this named project found?", "project": "client-a", "metadata": {"ticket": "7"}},
        4,
    ),
    "in another project": (
        {"prompt": "Is this named project found?", "project": "client-b", "metadata": {"ticket": "7"}},
        None,
    ),
    "with other metadata": (
        {"prompt": "Is this named project found?", "project": "client-a", "metadata": {"ticket": "8"}},
        None,
    ),
    "with attachments": (
        {"prompt": "Are these totals plausible?", "attach": {"orders": ORDERS}, "files": ("data.csv",)},
        5,
    ),
    "with changed attachments": (
        {"prompt": "Are these totals plausible?", "attach": {"orders": ORDERS[:3]}, "files": ("data.csv",)},
        5,
    ),
    "with other attachments": ({"prompt": "Are these totals plausible?", "attach": {"others": ORDERS}}, None),
    "a table without a name": (
        {"prompt": "Which rows are outliers here?", "attach": {"table_1": ORDERS}, "unnamed": True},
        6,
    ),
    "another table without a name": (
        {"prompt": "Which rows are outliers here?", "attach": {"table_1": ORDERS[:3]}, "unnamed": True},
        None,
    ),
    "with line ends of Windows": ({"prompt": "Is this cell with CRLF right?", "code": "a = 1\r\nb = 2"}, 7),
    "with other line ends": ({"prompt": "Is this cell with CRLF right?", "code": "a = 1\nb = 2"}, 7),
    "a second asking": ({**JOIN, "again": 2}, 8),
    "a third asking": ({**JOIN, "again": 3}, None),
    "one whose texts were deleted": ({"prompt": "Is this text that I forget?", "code": "secret = 1"}, 9),
    "one that is open": ({"prompt": "Is this question still open?", "code": "while True: pass"}, 10),
    "another code": ({**JOIN, "code": "a.merge(c)"}, None),
}


@pytest.mark.parametrize("name", ASKED_THEN)
def test_questions_of_an_earlier_ledger_are_found(earlier, name):
    """What was paid under the identity of then is found by what the user says today, and nothing else is."""
    said, number = ASKED_THEN[name]
    found = earlier.known(earlier.draft(**said))
    assert (found and found.id) == number


def test_an_earlier_question_is_found_from_another_folder(earlier, box, tmp_path, monkeypatch):
    """The identity of then held the folder; the user has not said it."""
    earlier.folder = "elsewhere"
    assert earlier.ask(earlier.draft(**JOIN)).entry.id == 1
    with pytest.raises(OtherProjectError):
        earlier.ask(earlier.draft("Are these totals plausible?", attach={"orders": ORDERS[:3]}, files=("data.csv",)))
    assert creates(box) == []


def test_an_earlier_question_is_found_after_its_tag_is_gone(earlier):
    """Its row has the tag's name; which number that was is tried."""
    earlier.ledger.catalogue.keep_tags([], earlier.ledger.clock())
    assert earlier.known(earlier.draft(**JOIN)).id == 1


def test_an_earlier_exception_is_found_by_its_traceback(earlier):
    """Then only the cell was looked at, so the traceback has to be the same too."""
    draft = earlier.draft(**JOIN, exception="KeyError: d['a']")
    assert earlier.known(draft).id == 1  # no traceback went then, and none goes now
    draft = earlier.draft(
        "Are these totals plausible?", attach={"orders": ORDERS[:3]}, files=("data.csv",), exception="E"
    )
    assert earlier.known(draft) is None


@pytest.mark.parametrize("name", ["a table without a name", "another table without a name", "with attachments"])
def test_an_earlier_question_is_found_from_another_home(earlier, account, name):
    """Hashes that the first home has keyed can't be compared by the second, which pays nothing twice all the same."""
    second = Session(account, Store(sqlite_url(places.home() / "ledger.sqlite"), digests=Digests(b"of another home")))
    second.watcher.stop()
    said, number = ASKED_THEN[name]
    found = second.known(second.draft(**said))
    assert (found and found.id) == number
    second.close()


def test_a_new_ledger_looks_nothing_up_twice(current):
    """Where no earlier version has written, no second look-up is made."""
    assert not current.ledger.questions.has_first_identities()


# -- in a notebook


def test_a_dry_run_of_a_known_question_costs_nothing(shell, current, capsys):
    """It says so, and which task it is; the second asking would be paid."""
    shell.run_cell_magic("codevf", PROMPT, "x = 1")
    task = shell.user_ns["_codevf"]
    capsys.readouterr()
    shell.run_cell_magic("codevf", f"{PROMPT} --dry-run", "x = 1")
    shown = capsys.readouterr().out
    assert shown.startswith(f"would cost 0 credits: asked before as {task.id}")
    assert "--again 2 asks again, and would be paid" in shown
    shell.run_cell_magic("codevf", f"{PROMPT} --dry-run --again 2", "x = 1")
    assert capsys.readouterr().out.startswith("would cost at most 240 credits")


def test_a_repeat_with_a_live_key_needs_no_credits(account, current):
    """Nobody pays for an answer that is there; only a new question needs ``-c``."""
    draft = current.draft(PROMPT)
    current.account = replace(account, environment="live")
    with pytest.raises(Exception, match="a live key has no default for credits"):
        current.ask(draft)
    current.account = account
    first = current.ask(draft)
    current.account = replace(account, environment="live")
    assert current.ask(current.draft(PROMPT)).id == first.id


def test_a_run_is_not_stopped_by_the_price_of_what_is_known(box, shell, current):
    """With ``--run`` a tag that is gone refuses a new question before the run, and not one that was answered."""
    shell.run_cell_magic("codevf", f"{PROMPT} --run --tag engineer", "ran = 1")
    retired = [replace(tag, is_active=False) if tag.name == "engineer" else tag for tag in current.tags()]
    current.ledger.catalogue.keep_tags(retired, current.ledger.clock())
    shell.run_cell_magic("codevf", f"{PROMPT} --run --tag engineer", "ran = 1")
    with pytest.raises(CodeVFUserError, match="The cell was not run"):
        shell.run_cell_magic("codevf", f"{PROMPT} --run --tag engineer", "ran = 2")
    assert shell.user_ns["ran"] == 1


@pytest.mark.parametrize("code", ["x = 1", "x = 1 ", "x = 1\n\n", "x = 1\t\r\n"])
def test_blanks_at_the_end_make_no_other_question(box, current, code):
    """What no one sees is no part of the question; blanks around a project's name neither."""
    ask(current, code="x = 1", project="p")
    assert ask(current, code=code, project=" p ").repeated is not None


def test_a_default_that_is_wrong_hides_no_answer(shell, current):
    """Only a new question needs to know what the default means."""
    shell.run_cell_magic("codevf", PROMPT, "x = 1")
    task = shell.user_ns["_codevf"]
    shell.run_line_magic("config", "CodeVF.mode = 'bogus'")
    shell.run_cell_magic("codevf", PROMPT, "x = 1")
    assert shell.user_ns["_codevf"].id == task.id
    with pytest.raises(CodeVFUserError, match="bogus"):
        shell.run_cell_magic("codevf", PROMPT, "x = 2")


def test_masks_make_no_other_question(box, current):
    """Unnamed data is known again by what is under its masks, which are random; other data is a new question."""

    def ask(address):
        people = [{"email": address, "age": 3}, {"email": "bob@example.org", "age": 5}]
        return cvf.ask("Are these ages plausible, do you think?", attach=[people], redact="email").id

    ids = [ask(address) for address in ("ann@example.org", "ann@example.org", "eve@example.org")]
    assert ids[0] == ids[1] != ids[2]
    assert len(creates(box)) == 2


def test_no_guess_of_a_masked_value_can_be_tested(shell, current):
    """Who reads the ledger has the CSV's form and the guesses, and finds no hash of any of them in it."""
    shell.run_cell("import pandas as pd\ntested = pd.DataFrame({'patient': ['P1'], 'result': ['positive']})")
    shell.run_cell_magic("codevf", "Is this table right? --attach tested --redact result", "x = 1")
    current.close()  # its watcher writes too, and SQLite's journal comes and goes with each transaction
    stored = b"".join(path.read_bytes() for path in places.home().glob("ledger.sqlite*"))
    assert b"tested.csv" in stored
    for guess in ("positive", "negative"):
        digest = hashlib.sha256(f"patient,result\nP1,{guess}\n".encode())
        assert digest.digest() not in stored
        assert digest.hexdigest().encode() not in stored
    assert (places.home() / "hashes.key").stat().st_mode & 0o77 == 0


def test_forgetting_removes_the_names_of_what_was_attached(current, box):
    """They are the user's own words too; asked again it is still found, and told to have changed or not."""
    said = {"prompt": "Which rows are outliers here?", "attach": {"ward_seven": ORDERS}}
    first = current.ask(current.draft(**said))
    while current.refresh(first.entry).is_open:
        pass
    assert current.ledger.retention.forget(current.ledger.clock() + 1) == 1
    rows = current.ledger.questions.get(first.entry.id).attachments
    assert [sorted(row) for row in rows] == [["rows", "sha256", "size"], ["sha256", "size"]]
    assert current.ask(current.draft(**said)).repeated.changed == ()
    now = {**said, "attach": {"ward_seven": ORDERS[:3]}}
    assert current.ask(current.draft(**now)).repeated.changed == (Change("ward_seven", (30, 3)),)
    assert len(creates(box)) == 1
