"""What the client adds to a request."""

import uuid
from collections.abc import Iterator

import requests

from codevf_nb.sdk import CodeVFClient
from tests.bench.pairs import in_turn, sandbox
from tests.bench.table import Row, at_most

TASK = {"prompt": "Is this join dropping rows?", "maxCredits": 240, "mode": "standard", "tagId": 5}


def rows(*, small: bool) -> Iterator[Row]:
    """One GET and one POST, to a sandbox process over loopback."""
    times = 10 if small else 400
    with sandbox(reviewer="none") as running:
        client = CodeVFClient(running.api_key, running.base_url)
        project = client.projects.create("bench").id
        bare = Bare(running.base_url, running.api_key, project)

        def post() -> None:
            client.tasks.create(TASK["prompt"], 240, project, mode="standard", tag_id=5)

        ours, reference = in_turn(times, client.credits.get_balance, bare.get)
        yield at_most(1.10, "one GET through the client", ours, reference, "a bare requests.Session")
        ours, reference = in_turn(times, post, bare.post)
        yield at_most(1.10, "one POST through the client", ours, reference, "a bare requests.Session")
        client.close()


class Bare:
    """A session of requests', used as its documentation has it."""

    def __init__(self, base_url: str, api_key: str, project: int) -> None:
        self._base_url = base_url
        self._project = project
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def get(self) -> None:
        answer = self._session.get(f"{self._base_url}credits/balance", timeout=60)
        answer.raise_for_status()
        answer.json()

    def post(self, **more: object) -> None:
        body = {**TASK, "projectId": self._project, "idempotencyKey": str(uuid.uuid4()), **more}
        answer = self._session.post(f"{self._base_url}tasks/create", json=body, timeout=60)
        answer.raise_for_status()
        answer.json()
