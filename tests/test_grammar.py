"""The line after `%%codevf`."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codevf_nb.notebook.grammar import (
    GrammarError,
    ParsedLine,
    join,
    read,
)
from codevf_nb.questions.options import LINE_OPTIONS as OPTIONS


@pytest.mark.parametrize(
    "prompt",
    [
        "what's wrong with it?",
        'why does "fix it" fail?',
        r"does C:\tmp exist",
        "it costs $5 {braces} and $name",
        "être ou 不是?",
        "what is a - b",
        "is x -1 here",
        "why does head -n 5 fail",
        "-5 is less than -.5, is it not",
        "is this - or -- or --- or \u2014 or \u2013 a dash",
        "- why is it wrong",
        "--- why is it wrong ---",
        "-> int: is it right",
        "is a--b or a-b or left\u2014right or x->y or 10--20 right",
        "does some-one@some-host.org see e-mails from 2026-01-31",
        "is C-- or i-- or --i right",
        "does ls -la or grep -rn or tar -xvf or find -name or -type do",
        "is -x or (-x) or [-1] or x[-a] or y*-c right",
        "is -f(x) + -log(p) - -max(x) or -run[0] right",
        "does -std=c++17 or -march=native or -Wall do",
        "is -inf or -np.inf or -NaN right",
        "is https://some.host/-/merge_requests?a=-1 right",
        "does +mode or /mode or mode=fast or dry-run do",
        "is it --5 or --1e3 or -1_000",
    ],
)
def test_prompt_survives_as_typed(prompt):
    """Apostrophes, quotes, backslashes, dollars, braces and unicode are the prompt's own."""
    assert read(f"--mode fast {prompt}").prompt == prompt
    assert read(f"{prompt} --mode fast").prompt == prompt
    assert read(prompt).prompt == prompt


@given(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Pd"), blacklist_characters="\u2212"),
        min_size=1,
    )
)
def test_any_word_survives(word):
    """Whatever a prompt is made of, the words between the options come back unchanged."""
    assert read(f"-m fast {word} -w").prompt == word
    assert read(f"{word} -m fast -w").prompt == word
    assert read(f"-m fast -- {word} -w").prompt == f"{word} -w"


def test_options_on_both_sides():
    """Options before and after the prompt add up; the same one on both sides is refused."""
    line = read("-a orders -c 240 is it right -a customers -w")
    assert line.prompt == "is it right"
    assert line.options == {"attach": ["orders", "customers"], "max_credits": 240, "wait": True}
    with pytest.raises(GrammarError, match="given twice"):
        read("-c 240 is it right -c 300")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.long)
def test_options_inside_the_prompt_are_refused(option):
    """Short or long: whether it is the prompt's, or was to be read, only the person who typed it knows."""
    for spelling in filter(None, (option.short, option.long)):
        with pytest.raises(GrammarError, match=f"{spelling} is inside the prompt.* put -- before the prompt"):
            read(f"why does head {spelling} lots fail --mode fast")
        assert read(f"-- why does head {spelling} lots fail") == ParsedLine(f"why does head {spelling} lots fail", {})


def test_double_dash_ends_the_options():
    """After -- everything is the prompt, even what looks like an option."""
    line = read("-m fast -- what does ls -w do -w")
    assert line.prompt == "what does ls -w do -w"
    assert line.options == {"mode": "fast"}


def test_values_keep_their_brackets_and_quotes():
    """An expression with blanks is one value; quotes around a whole value are taken off."""
    line = read("""-a orders[['id', 'total']],customers -p "my project" --metadata=a=1 --metadata b=2 -c 1,200""")
    assert line.options == {
        "attach": ["orders[['id', 'total']],customers"],
        "project": "my project",
        "metadata": ["a=1", "b=2"],
        "max_credits": 1200,
    }
    assert line.prompt is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("--mod fast is it right", "no option --mod"),
        ("is it right --mod fast", "no option --mod: did you mean --mode\\?"),
        ("is it right --tags=engineer", "no option --tags: did you mean --tag\\?"),
        ("--mode", "--mode needs a value"),
        ("-c lots is it right", "whole number, not 'lots'"),
        ("-m fast -m slow", "given twice"),
        ("--wait=yes", "takes no value"),
        ("is it right --Mode fast", "no option --Mode: did you mean --mode\\?"),
        ("is it right -mode fast", "no option -mode: did you mean --mode\\?"),
        ("is it right \u2014mode fast", "did you mean --mode"),
        ("\u2013\u2013wait is it right", "did you mean --wait"),
        ("is it right -c240", "no option -c240: did you mean -c 240\\?"),
        ("is it right --wiat -m fast", "no option --wiat: did you mean --wait\\?"),
        ("is it right --project my project", "--project is inside the prompt"),
        ("is it right --redact first name -a orders", "--redact is inside the prompt"),
        ("is it right --redact , -a orders", "--redact needs a value"),
        ("is it right -p ''", "-p needs a value"),
        ("is it right -m $empty", "-m needs a value"),
        ("is it right -o 1x", "-o 1x: no variable can have that name"),
        ("is it right -o class", "-o class: no variable can have that name"),
        ("is it right -o a.b", "-o a.b: no variable can have that name"),
        ("is it right -w --timeout -1", "--timeout takes seconds, 0 or more, not '-1'"),
        ("is it right -w --timeout nan", "0 or more, not 'nan'"),
        ("is it right -w --timeout inf", "0 or more, not 'inf'"),
        ("is it right --timeout 5", "add -w, or leave --timeout out"),
        ("is it right -a orders customers", "-a takes a list with commas: -a orders,customers[.]"),
        ("is it right -a=orders customers -m fast", "-a takes a list with commas: -a orders,customers[.]"),
        ("is it right -a orders, customers items", "where does the list end"),
        ("is it right -f a.csv b.csv", "can be given again: -f a.csv -f b.csv[.]"),
        ("is it right -p my project", 'takes quotes: -p "my project"[.]'),
        ("-a orders customers is it right", "-a takes a list with commas: -a orders,customers[.] .* put -- before"),
        ("-a orders customers.total is it right", "-a orders,customers.total[.]"),
        ("is it right --preview", "no option --preview: %codevf help lists those there are[.]"),
        ("is it right --user", "no option --user: %codevf help"),
        ("--quiet is it right", "no option --quiet: %codevf help"),
        ("-q is it right", "no option -q: %codevf help"),
        ("\u2013q is it right", "no option \u2013q: %codevf help"),
        ("is it right --dry_run", "no option --dry_run: did you mean --dry-run\\?"),
        ("is it right --dry-run;", "no option '--dry-run;': did you mean --dry-run\\?"),
        ("is it right?--dry-run", "did you mean --dry-run\\?"),
        ("is it right--dry-run", "did you mean --dry-run\\?"),
        ("is it right -dry", "did you mean --dry-run\\?"),
        ("is it right --attach_d1", "did you mean --attach\\?"),
        ("is it right -attach_d1", "did you mean --attach\\?"),
        ("is it right \u2014mod fast", "did you mean --mode\\?"),
        ("is it right -metad a=b", "did you mean --metadata\\?"),
        ("is it right --timeout5", "did you mean --timeout\\?"),
        ("is it right -c1,200", "did you mean -c 1,200\\?"),
        ("is it right -mfast", "did you mean -m fast\\?"),
        ("is it right -Wm fast", "did you mean -w -m\\?"),
        ("is it right -aorders", "did you mean -a orders\\?"),
        ("is it right -M fast", "did you mean -m\\?"),
        ("is it right \u2013m fast", "did you mean -m\\?"),
        ("is it right --m fast", "did you mean -m\\?"),
        ("is it right (-w)", "did you mean -w\\?"),
        ("is it right -m:fast", "did you mean -m\\?"),
        ("is it right \uff0d\uff0dwait", "did you mean --wait\\?"),
        ("is it right \u200b--wait", "did you mean --wait\\?"),
        ("is it right -p --dry-run", "-p needs a value, and --dry-run looks like an option"),
        ("is it right -p --dry_run", "-p needs a value, and --dry_run looks like an option"),
        ("is it right -p '-W'", "-p needs a value, and -W looks like an option"),
        ("is it right -p 'mine --dry-run'", "-p needs a value, and --dry-run looks like an option"),
        ("is it right -p mine;", "leave the semicolon out"),
        ("is it right -p what's --dry-run", "-p what's --dry-run: the quote ' is not closed"),
        ('is it right -p "my project --dry-run', 'the quote " is not closed'),
        ("is it right -p my(project", "the bracket is not closed"),
        ("is it right -a orders[['id' --dry-run", "-a needs a value, and --dry-run looks like an option"),
        ("-p -- is it right", "-p needs a value, not --: -p NAME"),
        ("is it right -o \u2014", "-o needs a value, not \u2014"),
    ],
)
def test_slips_are_told(text, told):
    """An abbreviation, a missing value, a wrong number or a repetition is one clear line, never a prompt that costs."""
    with pytest.raises(GrammarError, match=told):
        read(text, {"empty": "", "orders": 1, "customers": 2})


def test_a_list_may_have_blanks_beside_its_commas():
    """`-a orders, customers` attaches both, where it ends the line or an option comes after it."""
    for text in (
        "-a orders, customers -- is it right",
        "is it right -a orders , customers",
        "-a a[0],\tb -w is it right",
    ):
        line = read(text)
        assert line.prompt == "is it right"
        assert [name.strip() for name in line.options["attach"][0].split(",")][-1] in {"customers", "b"}
    assert read("is it right -a orders, -c 240").options == {"attach": ["orders,"], "max_credits": 240}


def test_after_double_dash_nothing_is_a_slip():
    """What looks like a slip or one of our options is the prompt's own after --."""
    for prompt in ("why does git log --text fail", "why does ls --mod fast fail --mod", "-mode what is it"):
        assert read(f"-m fast -- {prompt}") == ParsedLine(prompt, {"mode": "fast"})


def test_names_are_looked_up_option_by_option():
    """$name stands for a variable in an option's value, and for itself in the prompt."""
    line = read("what is $project -p $project -c $n", {"project": "reviews", "n": 240})
    assert line == ParsedLine("what is $project", {"project": "reviews", "max_credits": 240})
    with pytest.raises(GrammarError, match="no variable 'm'"):
        read("-m $m is it right", {})


def test_spellings_are_unique():
    """No two options share a spelling."""
    spellings = [spelling for option in OPTIONS for spelling in (option.long, option.short) if spelling]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    "line",
    [
        "-a orders, customers Is this right?",
        "-a orders, In January totals drop",
        "Compare -a orders, customers and more",
    ],
)
def test_a_list_with_blanks_right_before_the_prompt_is_refused(line):
    """Nobody can tell where it ends; a word of the prompt must not be attached."""
    with pytest.raises(GrammarError, match="where does the list end"):
        read(line)


def test_a_list_goes_on_after_a_blank_with_names_only():
    """What stands in quotes after it, or begins with a digit, is the prompt."""
    line = read('-a orders, "why is it so?"')
    assert (line.options["attach"], line.prompt) == (["orders,"], '"why is it so?"')
    assert read("Is it right? -a orders, customers -m fast").options["attach"] == ["orders, customers"]


def test_a_file_after_a_file_is_told(tmp_path, monkeypatch):
    """`-f a.csv b.csv` before the prompt would send one of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text("a")
    with pytest.raises(GrammarError, match=r"-f a\.csv -f b\.csv"):
        read("-f a.csv b.csv is it right")
    assert read("-f a.csv c.csv is it right").prompt == "c.csv is it right"
    assert read("-f a.csv -- b.csv is it right").prompt == "b.csv is it right"


def test_a_name_after_a_list_may_be_the_prompts():
    """It is, after --, where there is no such variable, after another option, and where the shell put it there."""
    names = {"orders": 1, "customers": 2, "In": []}
    for line in (
        "-a orders -- customers is it right",
        "-a orders clients is it right",
        "-a orders -w customers is it right",
        "-p orders customers is it right",
        "-a orders In which year",
    ):
        assert read(line, names).options
        assert read(line, names).prompt


def test_values_may_hold_dashes():
    """A minus in an expression, a date, a path with two dashes and a negative number are values."""
    for value in ("a[-1]", "'x -a'", "-x", "a--b", "2026-01-31", "out--text.csv", "x-y", "https://a.org/-/b"):
        assert read(f"is it right -a {value} -f {value}").options["file"] == [value.strip("'")]
    assert read("is it right -a 'x -text'").options["attach"] == ["x -text"]
    assert read("is it right --metadata 'note=a;'").options["metadata"] == ["note=a;"]


def test_help_is_an_option():
    """It is read at both ends, and nothing else that is wrong with the line comes first."""
    for text in ("--help", "-h", "is it right --help", "-h is it right", "is it right -m fast --timeout 5 -h"):
        assert read(text).options["help"] is True


# -- every spelling of every option, everywhere on the line

QUOTES = ("", *"\"'`", "\u201c", "\u2018", "\u00ab", "(", "[", "{", "<", "*", "_", "**", '("')
ENDS = ("", *";,.!?:)]}>'\"`*_", "\u201d", "\u2019", "...", "\u2026", '")', "=", "=1", "=True", ":1", "?!")
PROMPT = ("is", "this", "total", "right", "or", "wrong", "5", "-", "x=1", "what's", "(a", "b)")
HARMLESS = (*PROMPT, "-5", "head -n 5", "a--b", "e-mail", "-x", "-la", "\u2014", "--", "->")


@st.composite
def spellings(draw):
    """An option as somebody may type it, near enough to one of ours; and the option."""
    option = draw(st.sampled_from(OPTIONS))
    long = draw(st.booleans()) or option.short is None
    name = (option.long if long else option.short).lstrip("-")
    dashes = draw(st.sampled_from(["-", "--", "\u2013", "\u2014", "\u2012", "\u2212", "\u2011", "\u2013\u2013", "---"]))
    if long and (len(name) > 3 or len(dashes) > 1):
        name = misspelt(draw, name)
    if draw(st.booleans()):
        name = name.replace("-", draw(st.sampled_from(["_", "", "\u2011", "\u2013", "__"])))
    name = draw(st.sampled_from([str, str.upper, str.title, str.swapcase]))(name)
    return draw(st.sampled_from(QUOTES)) + dashes + name + draw(st.sampled_from(ENDS)), option


def misspelt(draw, name: str) -> str:
    """One letter is missing, added or another one, two are swapped, or none of it; the first part stays a word."""
    at = draw(st.integers(1, len(name) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    return draw(
        st.sampled_from(
            [
                name,
                name[:at] + name[at + 1 :] if len(name) > 4 else name,
                name[:at] + letter + name[at:],
                name[:at] + letter + name[at + 1 :],
                name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
            ]
        )
    )


@given(spellings(), st.lists(st.sampled_from(PROMPT)), st.lists(st.sampled_from(PROMPT)), st.booleans())
@settings(max_examples=800, deadline=None)
def test_no_option_is_sent_as_text(spelled, before, after, valued):
    """At the front, inside or at the end, with a value or without: it is read as that option, or refused."""
    word, option = spelled
    text = " ".join([*before, word, *(["5"] if valued else []), *after])
    with suppress(GrammarError):
        line = read(text)
        assert option.name in line.options
        assert word not in (line.prompt or "").split()


@given(
    st.lists(
        st.sampled_from([*PROMPT, "-5", "head -n 5", "a--b", "e-mail", "-x", "-la", "\u2014", "--", "->"]), min_size=1
    )
)
def test_harmless_prompts_are_sent_as_typed(words):
    """Dashes that begin no name, and letters that are none of ours, are the prompt's, whatever is around them."""
    prompt = " ".join(["why", *words, "here"])
    assert read(prompt) == ParsedLine(prompt, {})
    assert read(f"-m fast {prompt} -w") == ParsedLine(prompt, {"mode": "fast", "wait": True})


# -- a line that goes on in the next one


@pytest.mark.parametrize(
    ("line", "cell", "joined"),
    [
        ("is it right", "x = 1\n", ("is it right", "x = 1\n")),
        ("is it right \\", "  -m fast -w\nx = 1\ny", ("is it right -m fast -w", "x = 1\ny")),
        ("is it right \\ ", "  -m fast \\\n -w\nx = 1", ("is it right -m fast -w", "x = 1")),
        ("is it right\\", "--dry-run\r\nx = 1", ("is it right --dry-run", "x = 1")),
        ("-a orders,\\", "customers is it right", ("-a orders, customers is it right", "")),
        ("is C:\\tmp\\\\", "x = 1", ("is C:\\tmp\\\\", "x = 1")),
        ("is it right \\", "\nx = 1", ("is it right ", "x = 1")),
        ("is it right", "\n-- a comment\nselect 1", ("is it right", "\n-- a comment\nselect 1")),
        ("is it right", "--total is wrong\nselect 1", ("is it right", "--total is wrong\nselect 1")),
        ("is it right", "x --dry-run", ("is it right", "x --dry-run")),
    ],
)
def test_a_backslash_continues_the_line(line, cell, joined):
    """As in a shell; two of them are the prompt's own."""
    assert join(line, cell) == joined


@pytest.mark.parametrize("cell", ["", "\n \n", "-w \\\n"])
def test_a_backslash_needs_a_next_line(cell):
    """It says that more was to come."""
    with pytest.raises(GrammarError, match="ends in a backslash, and no line follows"):
        join("is it right \\", cell)


@pytest.mark.parametrize("cell", ["--dry-run\nx = 1", "\n\n  --Dry_Run -w\nx = 1", "--mode fast\n"])
def test_options_below_the_line_are_refused(cell):
    """They would be sent as code, and what they say would go unread."""
    with pytest.raises(GrammarError, match=r"the cell begins with --.*end that line with a backslash"):
        join("is it right", cell)
