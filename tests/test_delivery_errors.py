"""Errors of asking carry as data what their message says: whether anything was sent, and what to do next."""

import pytest

from codevf_nb.delivery import _errors as errors
from codevf_nb.ledger import LedgerError
from codevf_nb.sdk.exceptions import APIConnectionError, BadRequestError, CodeVFError

MADE = {
    "no response": (errors.outcome_unknown(CodeVFError("it broke off")), True),
    "ledger before sending": (errors.ledger_failed(LedgerError("the disk is full"), sent=False), False),
    "ledger after sending": (errors.ledger_failed(LedgerError("the disk is full"), sent=True), True),
}


@pytest.mark.parametrize(("error", "sent"), MADE.values(), ids=MADE)
def test_an_error_carries_what_its_message_says(error, sent):
    """The last part of the message is the next step, and only what was not sent says so."""
    assert error.sent is sent
    assert error.next_step
    assert str(error).endswith(error.next_step)
    assert (errors.NOTHING_SENT in str(error)) is not sent


@pytest.mark.parametrize("error", [BadRequestError("no such mode"), CodeVFError("no"), LedgerError("locked")])
def test_an_error_before_sending_is_marked(error):
    """Whatever fails before a question is sent."""
    with pytest.raises(CodeVFError, match=r"Nothing was sent\.") as raised, errors.before_sending():
        raise error
    assert raised.value.sent is False


def test_another_request_may_have_been_sent():
    """A balance that is fetched before the question: ``sent`` of its error is about that request."""
    with pytest.raises(APIConnectionError, match=r"The question was not sent\.") as raised, errors.before_sending():
        raise APIConnectionError("it broke off")
    assert raised.value.sent is True
