"""A tornado handler that always answers the same: ``python -m tests.bench.bare_server JSON`` prints its port."""

import asyncio
import json
import sys
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Handler(RequestHandler):
    """One JSON for every request."""

    def initialize(self, answer: Any) -> None:
        self.answer = answer

    def get(self) -> None:
        self.write(self.answer)


async def _main(answer: Any) -> None:
    sockets = bind_sockets(0, "127.0.0.1", backlog=1024)
    HTTPServer(Application([(".*", Handler, {"answer": answer})])).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
