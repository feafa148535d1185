"""What tests with a real kernel share."""

from typing import Any

CONNECT = """
%load_ext codevf_nb
from codevf_nb import kernel
from codevf_nb.accounts import settings
_ = kernel.use(settings.Account("sandbox", "sandbox", {url!r}, {key!r}, "a test", "sandbox", requests_per_second=None))
"""


PRICE = "may cost at most 240 credits (240 × standard 1× × General Purpose 1×)"


ASK = "%%codevf Is this comparison right?\nif total == None:\n    total = 0"


def messages(client, until) -> list[dict[str, Any]]:
    """Return the kernel's whole messages up to the first for which ``until`` is true."""
    heard = []
    while True:
        heard.append(client.get_iopub_msg(timeout=30))
        if until(heard[-1]["msg_type"], heard[-1]["content"]):
            return heard


def said(client, until) -> list[tuple[str, dict]]:
    """Return what the kernel's messages up to the first for which ``until`` is true say."""
    return [(message["msg_type"], message["content"]) for message in messages(client, until)]


def idle(kind: str, content: dict) -> bool:
    return kind == "status" and content["execution_state"] == "idle"


def run(client, cell: str) -> list[tuple[str, dict]]:
    """Return what the kernel says until it is idle after this cell: it also reports so after other requests."""
    request, heard = client.execute(cell), []
    while True:
        message = client.get_iopub_msg(timeout=30)
        heard.append((message["msg_type"], message["content"]))
        if idle(*heard[-1]) and message["parent_header"].get("msg_id") == request:
            return heard
