"""The subcommands of `%codevf`."""

import pytest
from IPython.utils.capture import capture_output

from codevf_nb import kernel
from codevf_nb.accounts.settings import Account
from codevf_nb.notebook import commands
from codevf_nb.notebook.commands._subcommand import parse
from codevf_nb.notebook.grammar import GrammarError
from codevf_nb.questions.options import LINE_OPTIONS as OPTIONS
from codevf_nb.questions.options import Kind, Option
from codevf_nb.sandbox import Sandbox
from tests.waiting import eventually

CELL = "def add(item, to=[]):\n    to.append(item)\n"


def value_of(shell, line: str):
    with capture_output() as shown:
        result = shell.run_cell(line)
    result.raise_error()
    return result.result, shown.stdout


@pytest.fixture
def asked(shell, current, box):
    """A question that was asked and answered."""
    with capture_output():
        shell.run_cell(f"%%codevf Is this default right? -w\n{CELL}").raise_error()
    return shell.user_ns["_codevf"]


def test_help_lists_every_option_and_subcommand(shell):
    """What there is stands in the help, and the help needs no account."""
    _, text = value_of(shell, "%codevf help")
    for option in OPTIONS:
        assert option.long in text
    for name in commands.COMMANDS:
        assert f"  {name} " in text
    assert value_of(shell, "%codevf")[1] == text


def test_show_returns_the_task(shell, asked):
    """`show` finds the newest task, or the one named, and gives it back to be kept."""
    assert value_of(shell, "%codevf show")[0].id == asked.id
    assert value_of(shell, f"%codevf show {asked.id}")[0].message == asked.message


def test_status_says_what_keeps_an_answer_away(shell):
    """While the service can't be reached, each open question says so and why; else there is nothing of it."""
    with Sandbox(clock="virtual", reviewer="none") as box:
        account = Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox", None)
        current = kernel.use(account)
        current.ask(current.draft("Is this default right?", code=CELL))
        assert "no answer from the service" not in repr(value_of(shell, "%codevf status")[0])
    eventually(lambda: current.watcher.problem, "a poll that fails")
    assert "no answer from the service at the moment (" in repr(value_of(shell, "%codevf status")[0])


def test_status_tells_what_is_open(shell, current, box, asked):
    """With nothing open it says so; an open task is told in words."""
    assert "nothing is open" in value_of(shell, "%codevf status")[1]
    assert "completed" in value_of(shell, f"%codevf status {asked.id}")[1]


def test_what_is_told_can_be_kept(shell, current, asked):
    """`x = %codevf status` shows nothing and keeps the tasks; on its own it is shown once, in words."""
    for line, told in (
        (f"status {asked.id}", "● completed"),
        ("status", "nothing is open."),
        ("settle", "nothing is unsettled."),
        ("budget 2000/day", "credits per day are left"),
        ("config", "CodeVF.mode = ''"),
    ):
        kept, shown = value_of(shell, f"%codevf {line}")
        assert shown.count(told) == 1
        assert told in repr(kept)
        assert value_of(shell, f"kept = %codevf {line}") == (None, "")
        assert repr(shell.user_ns["kept"]) == repr(kept)
    (task,) = value_of(shell, f"%codevf status {asked.id}")[0]
    assert task.message == asked.message
    (budget,) = value_of(shell, "%codevf budget")[0]
    assert (budget.credits, budget.left) == (2000, 2000 - asked.credits_used)
    assert value_of(shell, "%codevf config")[0].mode == ""
    assert value_of(shell, "%codevf settle")[0] == []


def test_open_tasks_are_kept_to_be_waited_for(shell, current, box):
    """What `status` lists can be waited for; later it still shows what it told then."""
    shell.run_cell(f"%%codevf Is this default right? -o asked\n{CELL}").raise_error()
    (found, told) = value_of(shell, f"%codevf status {shell.user_ns['asked'].id}")
    assert found[0].wait(timeout=20).status == "completed"
    assert repr(found) in told


def paths(box) -> list[str]:
    return [path for _, path, *_ in box.requests()]


def test_refresh_asks_the_service(shell, current, box, asked):
    """`--refresh` does what the Refresh buttons and `refresh=True` do; without it nobody is asked."""
    current.watcher.stop()
    for line in ("tasks", "credits", "spend", "spend mode,tag", "status", "show"):
        before = paths(box)
        plain, _ = value_of(shell, f"%codevf {line}")
        assert paths(box) == before
        refreshed, _ = value_of(shell, f"%codevf {line} --refresh")
        assert type(refreshed) is type(plain)
        if line not in ("status", "show"):
            assert paths(box)[len(before) :] == ["/api/v1/credits/balance"]
    for line in ("balance", "balance --refresh", "tags --refresh"):
        before = len(paths(box))
        value_of(shell, f"%codevf {line}")
        assert len(paths(box)) == before + 1


@pytest.mark.parametrize("line", ["status", "status {id}", "show {id}", "tasks"])
def test_refresh_hears_what_became_of_an_open_task(shell, current, box, line):
    """What another program did to a task is known after `--refresh`, and not before."""
    current.watcher.stop()
    shell.run_cell(f"%%codevf Is this default right? -o asked\n{CELL}").raise_error()
    task = shell.user_ns["asked"]
    current.client.tasks.cancel(task.id)
    line = line.format(id=task.id)
    assert "cancelled" not in value_of(shell, f"%codevf {line}")[1]
    assert task.status == "pending"
    value_of(shell, f"%codevf {line} --refresh")
    assert task.status == "cancelled"


def test_spend_takes_its_words_with_blanks_too(shell, asked):
    """`spend mode, tag` is `spend mode,tag`."""
    assert list(value_of(shell, "%codevf spend mode, tag")[0].columns[:2]) == ["mode", "tag"]


def test_every_answer_is_marked_as_read(shell, current, box):
    """`inbox read` is the button that says so, and tells that it was done."""
    shell.run_cell(f"%%codevf Is this default right?\n{CELL}").raise_error()
    task = shell.user_ns["_codevf"].wait(timeout=20)
    assert task.entry.is_unread
    assert "no answer is unread" in value_of(shell, "%codevf inbox read")[1]
    assert not current.ledger.questions.get(task.entry.id).is_unread


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Status", "there is no %codevf Status (did you mean status?)"),
        ("Is this right, really", "there is no %codevf Is; %codevf help lists what there is."),
        ("Is this right, really", "to ask without a cell, put the question on the line below %%codevf --text."),
        ("help atach", "there is no %codevf atach (did you mean attach?)"),
        ("help zzz", "there is no %codevf zzz; %codevf help lists"),
        ("debug --dry_run", "there is no option --dry_run: did you mean --dry-run?"),
        ("picker is it right -a orders customers", "-a takes a list with commas: -a orders,customers."),
        ("show task_wrong", "there is no task 'task_wrong' on this account (sandbox)"),
        ("show task_a task_b", "one task at a time, not 'task_a task_b'"),
        ("cancel task_a task_b", "one task at a time"),
        ("status --refesh", "%codevf status has no option --refesh (did you mean --refresh?)"),
        ("wait --timeout 5", "%codevf wait has no option --timeout; it takes none."),
        ("tasks now", "nothing can follow here, so 'now' can't be read"),
        ("settle \u00b2 none", "say which question and what it became"),
        ("settle 12 task_a task_b", "say which question and what it became"),
        ("budget lots", "such as 2000/day; not 'lots'"),
        ("budget 2000/day --project", "--project needs a value"),
        ("budget 2000/day --project=", "--project needs a value: --project NAME."),
        ("budget --projekt reviews 20/day", "has no option --projekt (did you mean --project?)"),
        ("budget what's left", "no closing quotation"),
        ("sandbox 'oops", "no closing quotation"),
        ("estimate -c -5", "-c -5: the modes take from 60 to 115,200 credits"),
        ("estimate -c 1e9", "-c needs a whole number, not '1e9'"),
        ("estimate --max_credits 5", "has no option --max_credits (did you mean --max-credits?)"),
        ("tasks --refresh=yes", "--refresh takes no value, so '--refresh=yes' can't be read"),
        ("tasks --refresh --refresh", "--refresh is given twice"),
        ("budget 20/day --project --refresh", "--project needs a value, and --refresh looks like an option"),
        ("forget --before", "--before needs a value: --before DATE."),
        ("forget", "say before which day (UTC)"),
        ("inbox raed", "takes read, which marks every answer as read; not 'raed'"),
    ],
)
def test_clumsy_lines_are_told_in_one_line(shell, current, box, line, told):
    """A slip changes nothing: one line says what was wrong, and the cell fails for whoever runs the notebook."""
    with capture_output() as shown:
        result = shell.run_cell(f"%codevf {line}")
    assert told in str(result.error_in_exec)
    assert shown.stdout.strip() == str(result.error_in_exec)
    assert current.ledger.budgets.standing() == []


def test_a_budget_of_one_project_is_no_budget_of_all(shell, current):
    """The project is heard however it is spelled."""
    for line in ("20/day --project reviews", "--project=reviews 30/day", "-p 'my reviews' 40/day"):
        value_of(shell, f"%codevf budget {line}")
    found = {budget.project: budget.credits for budget in value_of(shell, "%codevf budget")[0]}
    assert found == {"reviews": 30, "my reviews": 40}


def test_cancel_releases_what_was_held(shell, account):
    """A cancelled task holds nothing any more; without a name the newest open one is meant."""
    from codevf_nb import kernel
    from codevf_nb.sandbox import Sandbox

    with Sandbox(clock="virtual", reviewer="none") as box:
        account = type(account)(**{**vars(account), "base_url": box.base_url, "api_key": box.api_key})
        kernel.use(account)
        with capture_output():
            shell.run_cell(f"%%codevf Is this default right?\n{CELL}").raise_error()
        assert box.balance()["onHold"] == 240
        assert "pending" in value_of(shell, "%codevf status")[1]
        task, _ = value_of(shell, "%codevf cancel")
        assert task.status == "cancelled"
        assert box.balance()["onHold"] == 0
        kernel.forget()


def test_frames_come_back(shell, asked):
    """The tables are returned, so that they can be kept."""
    assert list(value_of(shell, "%codevf tasks")[0]["task_id"]) == [asked.id]
    assert value_of(shell, "%codevf spend tag")[0]["questions"].sum() == 1
    assert value_of(shell, "%codevf credits")[0]["available"].iloc[-1] == 100_000 - asked.credits_used
    assert value_of(shell, "%codevf balance")[0]["on_hold"].item() == 0
    assert "engineer" in set(value_of(shell, "%codevf tags")[0]["name"])


def test_unknown_subcommands_are_told(shell):
    """A slip names what there is, and how to ask about a cell."""
    with pytest.raises(Exception, match="there is no %codevf taks"):
        value_of(shell, "%codevf taks")


def test_login_checks_and_keeps_the_key_unseen(shell, box, monkeypatch, own_home):
    """The key is read unseen, tried with one GET, kept in a file of the user's alone, and removed by logout."""
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: box.api_key)
    before = len(box.requests())
    _, said = value_of(shell, "%codevf login")
    kept = own_home / "codevf_nb" / "credentials.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert box.api_key not in said
    assert [path.rsplit("/", 2)[-2:] for _, path, *_ in box.requests()[before:]] == [["credits", "balance"]]
    assert value_of(shell, "%codevf balance")[0]["available"].item() == 100_000
    value_of(shell, "%codevf logout")
    assert not kept.exists()


def test_login_refuses_a_key_that_does_not_work(shell, box, monkeypatch, own_home):
    """A key the service doesn't know is not kept."""
    monkeypatch.setenv("CODEVF_BASE_URL", box.base_url)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "cvf_test_wrong")
    with pytest.raises(Exception, match="key"):
        value_of(shell, "%codevf login")
    assert not (own_home / "codevf_nb" / "credentials.json").exists()


def test_sandbox_options_are_read(shell):
    """A slip in the sandbox's options is told before anything starts."""
    with pytest.raises(Exception, match=r"no option --sed \(did you mean --seed\?\)"):
        value_of(shell, "%codevf sandbox --sed 1")
    with pytest.raises(Exception, match="--seed needs a whole number, not 'one'"):
        value_of(shell, "%codevf sandbox --seed one")


OPTIONS_OF_COMMANDS = [(command, option) for command in commands.COMMANDS.values() for option in command.options]


@pytest.mark.parametrize(("command", "option"), OPTIONS_OF_COMMANDS, ids=lambda each: each.name)
def test_one_parser_reads_every_option(command, option):
    """``--x=y`` is ``--x y``, among words or not, and a word after ``--``; a misspelt one is suggested right."""
    value = {Kind.FLAG: "", Kind.INTEGER: "1,200", Kind.NUMBER: "2.5"}.get(option.kind, "two-words")
    expected = {Kind.FLAG: True, Kind.INTEGER: 1200, Kind.NUMBER: 2.5}.get(option.kind, "two-words")
    for spelling in option.spellings:
        for text in {f"{spelling} {value}".strip(), f"{spelling}={value}".removesuffix("=")}:
            found = {option.name: [expected] if option.many else expected}
            assert parse(command, text) == ([], found)
            assert parse(command, f"a {text} -5") == (["a", "-5"], found)
            assert parse(command, f"a -- {text}") == (["a", *text.split()], {})
    with pytest.raises(GrammarError, match=f"has no option {option.long}x .did you mean {option.long}"):
        parse(command, f"{option.long}x")
    if value:
        with pytest.raises(GrammarError, match=f"{option.long} needs a value"):
            parse(command, option.long)
    assert option.long in commands.help_line(command.name)


@pytest.mark.parametrize(
    ("words", "options", "run"),
    [
        ("", [Option("mine", "only yours")], lambda: None),
        ("", [], lambda *, mine: mine),
        ("[N]", [], lambda: None),
        ("", [], lambda words: words),
    ],
)
def test_a_row_that_its_function_does_not_take_is_refused(words, options, run):
    """A word or an option that would be read and thrown away fails when the module is loaded."""
    with pytest.raises(TypeError, match="doesn't take the words and options of its row"):
        commands.subcommand(words, "a subcommand", options=options)(run)


def test_help_about_one_subcommand(shell):
    """`help wait` tells what may follow it and what it does."""
    _, text = value_of(shell, "%codevf help wait")
    assert text.splitlines()[0] == "%codevf wait [TASK …]"
    assert "wait for the answer" in text
    with pytest.raises(Exception, match="there is no %codevf waiting"):
        value_of(shell, "%codevf help waiting")


def test_help_is_found_where_people_look_for_it(shell):
    """`--help` is help, and help about an option of the cell magic is its line."""
    assert value_of(shell, "%codevf --help")[1] == value_of(shell, "%codevf help")[1]
    for spelling in ("--mode", "mode", "-m", "m", "--Mode"):
        assert value_of(shell, f"%codevf help {spelling}")[1].splitlines()[0] == "%%codevf -m, --mode MODE"
    for option in OPTIONS:
        assert option.help in value_of(shell, f"%codevf help {option.name}")[1]
    both = value_of(shell, "%codevf help wait")[1]
    assert "%codevf wait [TASK …]" in both
    assert "%%codevf -w, --wait" in both
    assert value_of(shell, "%codevf help dry_run attach")[1].count("%%codevf") == 2


def test_every_subcommand_tells_its_help(shell):
    """`--help` after a subcommand shows its line and does nothing else; it needs no account."""
    for name in set(commands.COMMANDS) - {"help"}:
        for asks in ("--help", "-h", "task_1 --help"):
            assert value_of(shell, f"%codevf {name} {asks}") == (None, commands.help_line(name) + "\n")
    assert "%%codevf -h, --help" in value_of(shell, "%codevf help --help")[1]


def test_help_after_two_dashes_is_the_prompts(shell, current, box):
    """What follows -- is never an option, for `%codevf debug` neither."""
    with capture_output() as shown:
        result = shell.run_cell("%codevf debug -- what does --help do")
    assert "no exception has been raised" in str(result.error_in_exec)
    assert "ask about the last exception" not in shown.stdout


def test_several_tasks_are_waited_for(shell, current, asked):
    """`wait` takes several tasks and gives them all back."""
    shell.run_cell(f"%%codevf Is it wrong in another way? -o other\n{CELL}").raise_error()
    other = shell.user_ns["other"]
    tasks, _ = value_of(shell, f"%codevf wait {asked.id} {other.id}")
    assert [task.status for task in tasks] == ["completed", "completed"]


def test_a_task_made_elsewhere_is_taken_in(shell, current, box):
    """`track` finds a task that another program made on the same account."""
    project = current.client.projects.create("elsewhere")
    made = current.client.tasks.create("Asked by another program.", 240, project.id)
    task, _ = value_of(shell, f"%codevf track {made.id}")
    assert task.wait(timeout=20).status == "completed"
    assert made.id in set(value_of(shell, "%codevf tasks")[0]["task_id"])


def test_estimate_compares_modes_and_tags(shell, current):
    """Every mode with every active tag, with what a question may cost at most."""
    table, _ = value_of(shell, "%codevf estimate -c 300")
    assert len(table) == 9
    fast = table[(table["mode"] == "fast") & (table["tag"] == "Engineer")]
    assert fast["cost_cap"].item() == 765
    assert set(table.loc[table["mode"] == "realtime_answer", "max_credits"]) == {300}


def test_config_is_kept_for_later_kernels(shell, current, box):
    """`config --save` keeps the defaults; a kernel that loads the extension later has them."""
    value_of(shell, "%config CodeVF.mode = 'fast'")
    _, told = value_of(shell, "%codevf config --save")
    assert "CodeVF.mode = 'fast'" in told
    value_of(shell, "%unload_ext codevf_nb")
    value_of(shell, "%load_ext codevf_nb")
    assert "CodeVF.mode = 'fast'" in value_of(shell, "%codevf config")[1]


def test_a_schema_may_be_a_file(shell, current, tmp_path):
    """--schema takes a variable's name or a JSON file; the answer is data."""
    path = tmp_path / "schema.json"
    path.write_text('{"type": "object", "properties": {"score": {"type": "number"}}, "required": ["score"]}')
    shell.run_cell(f"%%codevf How good is this? -w -s {path}\n{CELL}").raise_error()
    assert isinstance(shell.user_ns["_codevf"].result["score"], int | float)
    with pytest.raises(Exception, match="neither a variable nor a file"):
        value_of(shell, f"%%codevf How good is this? -s nothing\n{CELL}")
