"""Subcommands about credits: what was asked and spent, what is left, what a question may cost, and the budget."""

from __future__ import annotations

import shlex
from typing import Any

from codevf_nb.commands.words import nothing, say, value_of
from codevf_nb.grammar import GrammarError


def tasks(rest: str) -> Any:
    """what was asked, as a DataFrame"""
    import codevf_nb

    nothing(rest)
    return codevf_nb.tasks()


def credits(rest: str) -> Any:
    """the account book, as a DataFrame"""
    import codevf_nb

    nothing(rest)
    return codevf_nb.credits()


def spend(rest: str) -> Any:
    """[BY,…]  what was spent, by mode unless said, as a DataFrame"""
    import codevf_nb

    return codevf_nb.spend(by=tuple(rest.split(",")) if rest else ("mode",))


def balance(rest: str) -> Any:
    """available, held and total credits now"""
    import codevf_nb

    nothing(rest)
    return codevf_nb.balance(refresh=True)


def tags(rest: str) -> Any:
    """the tags with their multipliers"""
    import codevf_nb

    nothing(rest)
    return codevf_nb.tags(refresh=True)


def budget(rest: str) -> None:
    """[N/day|N/week|N/month|off] [--project NAME]  refuse what would go past it; without a word: what is left"""
    from codevf_nb import kernel

    budgets = kernel.current().ledger.budgets
    words = shlex.split(rest)
    project = ""
    if "--project" in words:
        at = words.index("--project")
        project = "".join(words[at + 1 : at + 2])
        del words[at : at + 2]
    if words == ["off"]:
        budgets.remove(project)
    elif words:
        budgets.set(" ".join(words), project)
    standing = budgets.standing()
    for budget in standing:
        say(f"{budget}.")
    if not standing:
        say("there is no budget: %codevf budget 2000/day sets one.")


def forget(rest: str) -> None:
    """--before DATE  delete texts and answers of what is over; ids, times and credits stay"""
    from datetime import UTC, datetime

    from codevf_nb import kernel

    option, _, date = rest.partition(" ")
    try:
        before = datetime.fromisoformat(date.strip())
    except ValueError:
        before = None
    if option != "--before" or before is None:
        raise GrammarError(f"say before which day (UTC): %codevf forget --before 2026-01-31, not {rest!r}.")
    forgotten = kernel.current().ledger.questions.forget(before.replace(tzinfo=before.tzinfo or UTC).timestamp())
    say(f"the texts of {forgotten:,} questions are deleted; ids, times and credits stay.")


def estimate(rest: str) -> Any:
    """[-c N]  what a question may cost at most, in every mode and with every tag, as a DataFrame"""
    import pandas as pd

    from codevf_nb import kernel
    from codevf_nb.sdk.models import ServiceMode, calculate_final_credit_cost

    words = iter(rest.split())
    given = None
    for word in words:
        if word not in ("-c", "--max-credits"):
            raise GrammarError(f"%codevf estimate takes -c N, not {word!r}.")
        given = value_of(word, words, lambda text: int(text.replace(",", "")))
    rows = []
    for mode in ServiceMode:
        least, most = mode.credit_range
        credits = min(max(given or least, least), most)
        for tag in kernel.current().tags():
            if tag.is_active:
                cap = calculate_final_credit_cost(credits, mode, tag.cost_multiplier)
                rows.append((mode.value, tag.display_name, credits, cap, mode.meaning))
    return pd.DataFrame(rows, columns=["mode", "tag", "max_credits", "cost_cap", "meaning"])
