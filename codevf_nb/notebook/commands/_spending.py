"""Subcommands about credits: what was asked and spent, what is left, what a question may cost, and the budget."""

from __future__ import annotations

from typing import Any

from codevf_nb.notebook.commands._arguments import (
    CommandResult,
    refreshing,
    say,
    split,
    value_of,
)
from codevf_nb.notebook.grammar import GrammarError


def tasks(rest: str) -> Any:
    """[--refresh]  what was asked, as a DataFrame; --refresh asks the service first about what is open"""
    from codevf_nb import api

    _, refresh = refreshing(rest, words=False)
    return api.tasks(refresh=refresh)


def credits(rest: str) -> Any:
    """[--refresh]  the account book, as a DataFrame; --refresh asks the service first"""
    from codevf_nb import api

    _, refresh = refreshing(rest, words=False)
    return api.credits(refresh=refresh)


def spend(rest: str) -> Any:
    """[BY,…] [--refresh]  what was spent, by mode unless said, as a DataFrame; --refresh asks the service first"""
    from codevf_nb import api

    words, refresh = refreshing(rest)
    by = " ".join(words).replace(",", " ").split()
    return api.spend(by=tuple(by or ("mode",)), refresh=refresh)


def balance(rest: str) -> Any:
    """available, held and total credits now; the service is asked each time"""
    from codevf_nb import api

    refreshing(rest, words=False)  # said by habit, it changes nothing
    return api.balance(refresh=True)


def tags(rest: str) -> Any:
    """the tags with their multipliers; the service is asked each time"""
    from codevf_nb import api

    refreshing(rest, words=False)
    return api.tags(refresh=True)


def budget(rest: str) -> CommandResult:
    """[N/day|N/week|N/month|off] [--project NAME]  refuse what would go past it; without a word: what is left"""
    from codevf_nb import kernel

    budgets = kernel.current().ledger.budgets
    words, project = _project(rest)
    if words == ["off"]:
        budgets.remove(project)
    elif words:
        budgets.set(" ".join(words), project)
    standing = budgets.standing()
    return CommandResult(
        standing, [f"{each}." for each in standing] or ["there is no budget: %codevf budget 2000/day sets one."]
    )


def _project(rest: str) -> tuple[list[str], str]:
    """Take ``--project NAME`` out of a line: a project that went unheard would make a budget of all."""
    words, project = [], ""
    given = iter(split(rest))
    for word in given:
        option, equals, value = word.partition("=")
        if option in ("--project", "-p"):
            project = value if equals else value_of(word, given)
            if not project.strip() or project.startswith("-"):
                raise GrammarError(f"{option} needs a project's name, not {project!r}.")
        elif word.startswith("--"):
            raise GrammarError(f"%codevf budget takes --project NAME, not {word!r}.")
        else:
            words.append(word)
    return words, project


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
        given = value_of(word, words, lambda text: int(text.replace(",", "")), "a whole number")
    ranges = [mode.credit_range for mode in ServiceMode]
    least_of_all, most_of_all = min(least for least, _ in ranges), max(most for _, most in ranges)
    if given is not None and not least_of_all <= given <= most_of_all:
        raise GrammarError(f"-c {given:,}: the modes take from {least_of_all} to {most_of_all:,} credits.")
    rows = []
    for mode in ServiceMode:
        least, most = mode.credit_range
        credits = min(max(given or least, least), most)
        for tag in kernel.current().tags():
            if tag.is_active:
                cap = calculate_final_credit_cost(credits, mode, tag.cost_multiplier)
                rows.append((mode.value, tag.display_name, credits, cap, mode.meaning))
    return pd.DataFrame(rows, columns=["mode", "tag", "max_credits", "cost_cap", "meaning"])
