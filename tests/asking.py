"""Ask from many workers of one kind: ``python -m tests.asking KIND BASE_URL ROUNDS``; prints what each was answered."""

import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from codevf_nb import kernel
from codevf_nb.accounts import settings
from codevf_nb.sdk.secret import Secret
from codevf_nb.task import Task

WORKERS = 4


def use(base_url: str, api_key: str = "cvf_test_x") -> None:
    """Be on the service's account."""
    account = settings.Account(
        "sandbox", "sandbox", base_url, Secret(api_key), "a test", "sandbox", requests_per_second=None
    )
    kernel.use(account)


def ask(number: int) -> Task:
    """Ask a question whose answer holds its number."""
    current = kernel.current()
    return current.ask(current.draft(f"Is this cell right? Number {number}.", code="x = 1", project="team"))


def forked(numbers: range) -> list[Task]:
    """Each question in a child of its own, all at once, which hands its task back."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    children = [context.Process(target=lambda number=number: answers.put(ask(number))) for number in numbers]
    for child in children:
        child.start()
    tasks = [answers.get(timeout=60) for _ in children]
    for child in children:
        child.join(60)
    return tasks


def pooled(method: str) -> Callable[[range, str], list[Task]]:
    """Return how to ask in a pool of processes that are started so."""

    def run(numbers: range, base_url: str) -> list[Task]:
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context, initializer=use, initargs=(base_url,)) as pool:
            return list(pool.map(ask, numbers))

    return run


def _asked_in_loky(number: int, base_url: str) -> Task:
    if kernel.open_session() is None:
        use(base_url)
    return ask(number)


def loky(numbers: range, base_url: str) -> list[Task]:
    """Ask in joblib's processes."""
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2)(delayed(_asked_in_loky)(number, base_url) for number in numbers)


def threads(numbers: range) -> list[Task]:
    """Ask in threads of this process."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(ask, numbers))


def joblib_threads(numbers: range) -> list[Task]:
    """Ask in joblib's threads."""
    from joblib import Parallel, delayed

    return Parallel(n_jobs=WORKERS, backend="threading")(delayed(ask)(number) for number in numbers)


def main(kind: str, base_url: str, rounds: str) -> None:
    """Ask in rounds, after a first question in this process, whose connections and threads are then there."""
    use(base_url)
    ask(0)
    every = range(1, 1 + WORKERS * int(rounds))
    in_rounds = {"fork": forked, "threads": threads, "joblib's threads": joblib_threads}
    if kind in in_rounds:
        tasks = [task for first in every[::WORKERS] for task in in_rounds[kind](range(first, first + WORKERS))]
    else:
        ways = {"forkserver": pooled("forkserver"), "spawn": pooled("spawn"), "pool": pooled("fork"), "loky": loky}
        tasks = ways[kind](every, base_url)
    print(json.dumps([[task.entry.prompt, task.message] for task in tasks]))
    kernel.forget()


if __name__ == "__main__":
    main(*sys.argv[1:])
