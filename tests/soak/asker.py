"""A kernel to be killed: ``python -m tests.soak.asker`` forks a process for each question it is given.

One JSON object per line. In: ``{"home": …, "base_url": …, "prompt": …, "step": …, "then": …}``, where ``then`` is what
happens at the step: ``stop`` (to be killed there) or ``fill`` (the disk); ``humble`` gives root's rights up before all.
Out: ``{"pid": …}``, then what becomes of the process: ``{"at": STEP}`` where it stopped, ``{"done": TASK}`` or
``{"failed": ERROR}`` or ``{"crashed": TRACEBACK}``, and at last ``{"exit": CODE}``. Forking is what makes hundreds of
kernels quick to start.
"""

import json
import os
import resource
import signal
import sys
import traceback
from typing import Any

from codevf_nb import kernel
from codevf_nb.accounts import settings
from codevf_nb.sdk.exceptions import CodeVFError
from tests.soak.steps import at_step

NOBODY = 65534


def tell(**what: Any) -> None:
    """Write one line, whole: parent and child share the pipe."""
    os.write(1, f"{json.dumps(what)}\n".encode())


def account(base_url: str, api_key: str = "cvf_test_sandbox") -> settings.Account:
    """The sandbox's account, as every process of a test sees it."""
    return settings.Account(
        "sandbox", "sandbox", base_url, api_key, "a test", "sandbox", requests_per_second=None, polls_move_time=True
    )


def stop(step: str) -> None:
    """Come no further."""
    tell(at=step)
    signal.pause()


def fill(_step: str) -> None:
    """Let no file grow any more: for this process the disk is full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))


def ask(base_url: str, prompt: str, step: str | None, then: str) -> None:
    """Ask and wait for the answer, as a cell with ``-w`` does."""
    if then == "humble" and os.getuid() == 0:
        os.setuid(NOBODY)  # nothing is read-only to root
    current = kernel.use(account(base_url))
    current.client._transport.sleep = lambda _: None
    if step is not None:
        at_step(current, step, lambda: {"stop": stop, "fill": fill}[then](step))
    task = current.ask(current.draft(prompt, code="total = 1"))
    while task.is_open:
        try:
            task.refresh()
        except CodeVFError as error:
            tell(refresh=str(error))
    tell(done=task.id)


def run(**order: Any) -> int:
    """Ask, and tell how it ended."""
    try:
        ask(**order)
    except CodeVFError as error:
        tell(failed=f"{type(error).__name__}: {error}")
        return 1
    except BaseException:  # noqa: BLE001 - whatever it was, the test shall see it
        tell(crashed=traceback.format_exc())
        return 2
    return 0


def main() -> None:
    """Fork a process for each line, one after another; what each would import is imported once."""
    from codevf_nb import analysis, attachments  # noqa: F401
    from codevf_nb.ledger import MemoryStore

    MemoryStore().close()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ["CODEVF_NB_HOME"] = order.pop("home")
            os._exit(run(**order))
        tell(pid=pid)
        tell(exit=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
