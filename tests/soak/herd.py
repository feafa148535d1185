"""A herd of processes and threads that all send with one key as fast as they may: `python -m tests.soak.herd …`."""

import contextlib
import os
import subprocess
import sys
import threading
import time

from codevf_nb.ledger import RateLimiter, Store
from codevf_nb.sdk import CodeVFClient
from codevf_nb.sdk.exceptions import RateLimitError


def run(ledger_url: str, base_url: str, api_key: str, *, processes: int, threads: int, seconds: float) -> None:
    """Let them loose, and return when every one has ended."""
    command = [sys.executable, "-m", "tests.soak.herd", ledger_url, base_url, api_key, str(threads), str(seconds)]
    herd = [subprocess.Popen(command) for _ in range(processes)]
    assert [process.wait(seconds + 60) for process in herd] == [0] * processes


def _send(limiter: RateLimiter, client: CodeVFClient) -> None:
    while True:
        with contextlib.suppress(RateLimitError):
            limiter.wait()
            client.credits.get_balance(on_answer=limiter.record_rate_limit)


def _main(ledger_url: str, base_url: str, api_key: str, threads: str, seconds: str) -> None:
    limiter = RateLimiter(Store(ledger_url), "herd", 1.0)
    client = CodeVFClient(api_key, base_url, max_retries=0)
    for _ in range(int(threads)):
        threading.Thread(target=_send, args=(limiter, client), daemon=True).start()
    time.sleep(float(seconds))
    os._exit(0)  # those who still queue needn't be waited for


if __name__ == "__main__":
    _main(*sys.argv[1:])
