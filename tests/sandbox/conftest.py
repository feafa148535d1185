"""A sandbox on the virtual clock, and a caller that knows HTTP and nothing of the client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from codevf_nb.sandbox import Sandbox

PROMPT = "Is this join dropping rows?"


class Api:
    """Plain requests to one sandbox with one key."""

    def __init__(self, box: Sandbox, key: str | None = None) -> None:
        self.box = box
        self.key = key or box.api_key
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **kwargs.pop("headers", {})}
        url = path if path.startswith("http") else self.box.base_url + path
        return self.session.request(method, url, json=body, headers=headers, timeout=30, **kwargs)

    def project(self, name: str = "My API Project") -> int:
        return self.call("POST", "projects/create", {"name": name}).json()["id"]

    def create(self, **fields: Any) -> requests.Response:
        body = {"prompt": PROMPT, "maxCredits": 240, "projectId": 1, **fields}
        return self.call("POST", "tasks/create", {name: value for name, value in body.items() if value is not ...})

    def task(self, **fields: Any) -> str:
        response = self.create(**fields)
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def get(self, task_id: str) -> dict[str, Any]:
        return self.call("GET", f"tasks/{task_id}").json()

    def balance(self) -> tuple[float, float, float]:
        shown = self.call("GET", "credits/balance").json()
        return shown["available"], shown["onHold"], shown["total"]

    def answered(self, **fields: Any) -> dict[str, Any]:
        """The completed task of a question."""
        task_id = self.task(**fields)
        self.box.advance(1000)
        return self.get(task_id)


@pytest.fixture
def boxes() -> Iterator[Any]:
    """Makes sandboxes that end with the test; on the virtual clock unless said."""
    made: list[Sandbox] = []

    def make(**options: Any) -> Sandbox:
        box = Sandbox(**{"clock": "virtual", **options}).start()
        made.append(box)
        return box

    yield make
    for box in made:
        box.stop()


@pytest.fixture
def box(boxes: Any) -> Sandbox:
    """One sandbox on the virtual clock."""
    return boxes()


@pytest.fixture
def api(box: Sandbox) -> Api:
    """A caller of `box`, with a project whose id is 1."""
    api = Api(box)
    assert api.project() == 1
    return api


@pytest.fixture
def golden() -> Any:
    """The documents' examples on a topic."""

    def read(topic: str) -> list[dict[str, Any]]:
        path = Path(__file__).parents[1] / "vectors" / f"{topic}.json"
        return json.loads(path.read_text(encoding="utf-8"))["vectors"]

    return read


def text_file(name: str, content: str, mime_type: str = "text/plain") -> dict[str, str]:
    """An attachment."""
    return {"fileName": name, "mimeType": mime_type, "content": content}
