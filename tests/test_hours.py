"""When engineers are at work."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from codevf_nb.accounts import working_hours


@pytest.mark.parametrize(
    ("utc", "main"),
    [
        (datetime(2026, 1, 15, 12, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 15, 13, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 16, 0, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 16, 1, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 15, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 16, 0, 0, tzinfo=UTC), False),
    ],
)
def test_main_hours_are_eight_to_eight_in_new_york(utc, main):
    """Winter and summer, with the first minute and without the last."""
    assert working_hours.is_within_main_hours(utc) is main


def test_it_is_said_in_both_times():
    """Eastern time and the user's own; outside the main hours with what that means."""
    berlin = ZoneInfo("Europe/Berlin")
    within = working_hours.describe(datetime(2026, 1, 15, 14, 5, tzinfo=UTC), berlin)
    assert within == "within the main hours (8am–8pm Eastern; now 09:05 there, 15:05 here)"
    assert "responses may be slower" in working_hours.describe(datetime(2026, 1, 15, 4, 0, tzinfo=UTC), berlin)
