"""A question and its terms, as several tests ask it."""

from decimal import Decimal

from codevf_nb.questions.question import Question, Terms
from codevf_nb.sdk.models import ServiceMode, Tag

QUESTION = Question(
    prompt="Is this join dropping rows?",
    code="merged = orders.merge(customers)",
    mode=ServiceMode.FAST,
    tag="general",
    max_credits=240,
    project="shop",
    schema={"type": "object"},
    metadata={"ticket": 7},
    attached=("orders", "customers"),
)


TERMS = Terms("shop", ServiceMode.FAST, Tag(5, "general", "General Purpose", None, Decimal("1.0")), 240)
