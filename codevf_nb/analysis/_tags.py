"""The frame of tags."""

from __future__ import annotations

from typing import Final

import pandas as pd
from sqlalchemy import select

from codevf_nb.analysis._dtypes import (
    COUNT,
    CREDITS,
    FLAG,
    TEXT,
    read,
)
from codevf_nb.ledger import Store
from codevf_nb.ledger.tables import tags as table

TAGS: Final = {
    "tag_id": COUNT,
    "name": TEXT,
    "display_name": TEXT,
    "description": TEXT,
    "multiplier": CREDITS,
    "is_active": FLAG,
}


def tags(store: Store, account: str) -> pd.DataFrame:
    """Return the tags of an account as they were last listed."""
    query = select(*(table.c[name] for name in TAGS)).where(table.c.account == account)
    return read(store, query.order_by(table.c.sort_order, table.c.tag_id), TAGS)
