"""The line after `%%codevf`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codevf_nb.grammar import OPTIONS, GrammarError, Line, read


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
        "why does pip install --user fail",
        "why does head -c lots of data fail",
        "what does pip do with --user",
    ],
)
def test_prompt_survives_as_typed(prompt):
    """Apostrophes, quotes, backslashes, dollars, braces and unicode are the prompt's own."""
    assert read(f"--mode fast {prompt}").prompt == prompt
    assert read(f"{prompt} --mode fast").prompt == prompt
    assert read(prompt).prompt == prompt


@given(
    st.text(
        st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), blacklist_characters="-"),
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


def test_options_inside_the_prompt_are_the_prompt():
    """Only the run of whole options at the end is read as options."""
    line = read("why does head -c 5000 fail --mode fast")
    assert line.prompt == "why does head -c 5000 fail"
    assert line.options == {"mode": "fast"}


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
        ("is it right --mod fast", "no option --mod, but --mode"),
        ("is it right --tags=engineer", "no option --tags, but --tag"),
        ("--mode", "--mode needs a value"),
        ("-c lots is it right", "whole number, not 'lots'"),
        ("-m fast -m slow", "given twice"),
        ("--wait=yes", "takes no value"),
        ("is it right --Mode fast", "no option --Mode, but --mode"),
        ("is it right -mode fast", "no option -mode, but --mode"),
        ("is it right \u2014mode fast", "but --mode"),
        ("\u2013\u2013wait is it right", "but --wait"),
        ("is it right -c240", "no option -c240, but -c 240"),
        ("is it right --wiat -m fast", "no option --wiat, but --wait"),
        ("is it right --project my project", "--project stands inside the prompt"),
        ("is it right --redact first name -a orders", "--redact stands inside the prompt"),
        ("is it right --redact , -a orders", "--redact needs a value"),
        ("is it right -p ''", "-p needs a value"),
        ("is it right -m $empty", "-m needs a value"),
        ("is it right -o 1x", "-o 1x: no variable can have that name"),
        ("is it right -o class", "-o class: no variable can have that name"),
        ("is it right -o a.b", "-o a.b: no variable can have that name"),
        ("is it right -w --timeout -1", "--timeout takes seconds, 0 or more, not '-1'"),
        ("is it right -w --timeout nan", "0 or more, not 'nan'"),
        ("is it right -w --timeout inf", "0 or more, not 'inf'"),
    ],
)
def test_slips_are_told(text, told):
    """An abbreviation, a missing value, a wrong number or a repetition is one clear line, never a prompt that costs."""
    with pytest.raises(GrammarError, match=told):
        read(text, {"empty": ""})


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
        assert read(f"-m fast -- {prompt}") == Line(prompt, {"mode": "fast"})


def test_names_are_looked_up_option_by_option():
    """$name stands for a variable in an option's value, and for itself in the prompt."""
    line = read("what is $project -p $project -c $n", {"project": "reviews", "n": 240})
    assert line == Line("what is $project", {"project": "reviews", "max_credits": 240})
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
