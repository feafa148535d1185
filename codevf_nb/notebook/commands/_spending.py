"""Subcommands about credits: what was asked and spent, what is left, what a question may cost, and the budget."""

from __future__ import annotations

from typing import Any

from codevf_nb.notebook.commands._output import CommandResult, say
from codevf_nb.notebook.commands._subcommand import REFRESH, subcommand
from codevf_nb.notebook.grammar import GrammarError
from codevf_nb.questions.options import Kind, Option


@subcommand("", "what was asked, as a DataFrame", options=[REFRESH])
def tasks(*, refresh: bool) -> Any:
    """Return every question."""
    from codevf_nb import api

    return api.tasks(refresh=refresh)


@subcommand("", "the account book, as a DataFrame", options=[REFRESH])
def credits(*, refresh: bool) -> Any:
    """Return the account book."""
    from codevf_nb import api

    return api.credits(refresh=refresh)


@subcommand("[BY,…]", "what was spent, by mode unless said, as a DataFrame", options=[REFRESH])
def spend(words: list[str], *, refresh: bool) -> Any:
    """Return questions, credits and times, by one column or several."""
    from codevf_nb import api

    by = " ".join(words).replace(",", " ").split()
    return api.spend(by=tuple(by or ("mode",)), refresh=refresh)


@subcommand("", "available, held and total credits now; the service is asked each time", options=[REFRESH])
def balance(*, refresh: bool) -> Any:  # noqa: ARG001 - typed by habit, it changes nothing
    """Return the balance."""
    from codevf_nb import api

    return api.balance(refresh=True)


@subcommand("", "the tags with their multipliers; the service is asked each time", options=[REFRESH])
def tags(*, refresh: bool) -> Any:  # noqa: ARG001 - as in balance
    """Return the tags."""
    from codevf_nb import api

    return api.tags(refresh=True)


@subcommand(
    "[N/day|N/week|N/month|off]",
    "refuse questions that would exceed it; without a word: what is left",
    options=[Option("project", "a budget for one project only", "-p", "NAME", Kind.PROJECT)],
)
def budget(words: list[str], *, project: str | None) -> CommandResult:
    """Set or remove a budget, and return what is left of all."""
    from codevf_nb import kernel

    budgets = kernel.current().ledger.budgets
    if words == ["off"]:
        budgets.remove(project or "")
    elif words:
        budgets.set(" ".join(words), project or "")
    standing = budgets.standing()
    return CommandResult(
        standing, [f"{each}." for each in standing] or ["there is no budget: %codevf budget 2000/day sets one."]
    )


@subcommand(
    "",
    "delete the texts and answers of completed questions; ids, times and credits stay",
    options=[Option("before", "the day, in UTC, before which they were asked", metavar="DATE", kind=Kind.TEXT)],
    required=("before",),
)
def forget(*, before: str | None) -> None:
    """Delete texts and answers from the ledger."""
    from datetime import UTC, datetime

    from codevf_nb import kernel

    try:
        day = datetime.fromisoformat(before or "")
    except ValueError:
        raise GrammarError(
            f"say before which day (UTC): %codevf forget --before 2026-01-31, not {before or ''!r}."
        ) from None
    forgotten = kernel.current().ledger.retention.forget(day.replace(tzinfo=day.tzinfo or UTC).timestamp())
    say(f"the texts of {forgotten:,} questions are deleted; ids, times and credits stay.")


@subcommand(
    "",
    "what a question may cost at most, in every mode and with every tag, as a DataFrame",
    options=[Option("max_credits", "credits it may use, before multipliers", "-c", "N", Kind.INTEGER)],
)
def estimate(*, max_credits: int | None) -> Any:
    """Return the highest cost of a question for each mode and tag."""
    import pandas as pd

    from codevf_nb import kernel
    from codevf_nb.sdk.models import ServiceMode, calculate_final_credit_cost

    ranges = [mode.credit_range for mode in ServiceMode]
    least_of_all, most_of_all = min(least for least, _ in ranges), max(most for _, most in ranges)
    if max_credits is not None and not least_of_all <= max_credits <= most_of_all:
        raise GrammarError(f"-c {max_credits:,}: the modes take from {least_of_all} to {most_of_all:,} credits.")
    rows = []
    for mode in ServiceMode:
        least, most = mode.credit_range
        credits = min(max(max_credits or least, least), most)
        for tag in kernel.current().tags():
            if tag.is_active:
                cap = calculate_final_credit_cost(credits, mode, tag.cost_multiplier)
                rows.append((mode.value, tag.display_name, credits, cap, mode.meaning))
    return pd.DataFrame(rows, columns=["mode", "tag", "max_credits", "cost_cap", "meaning"])
