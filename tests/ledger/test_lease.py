"""Who has the right to send a question, and for how long."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from codevf_nb.ledger._lease import LONGEST_SECONDS, Lease, is_leased

NOW = 1_800_000_000.0
TAKE = f"from codevf_nb.ledger._lease import Lease; print(Lease.take({NOW + 90}).owner, flush=True); input()"
UNSHARE = shutil.which("unshare") or "unshare"


def can_unshare() -> bool:
    return (
        shutil.which("unshare") is not None
        and not subprocess.run([UNSHARE, "-pf", "--mount-proc", "true"], check=False, capture_output=True).returncode
    )


def owner_elsewhere(*command: str) -> tuple[subprocess.Popen, str]:
    """Start a process that takes a lease; it runs until its standard input ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([*command, sys.executable, "-c", TAKE], text=True, **pipes)
    return process, process.stdout.readline().strip()


def test_a_lease_holds_while_its_sender_is_at_work():
    """Within this process a sender that has ended holds nothing, however it ended."""
    lease = Lease.take(NOW + 90)
    assert not is_leased(lease.owner, lease.until, NOW)
    with lease.held():
        assert is_leased(lease.owner, lease.until, NOW)
        assert not is_leased(lease.owner, lease.until, NOW + 91)
    assert not is_leased(lease.owner, lease.until, NOW)


def test_another_machine_is_believed_until_the_lease_ends():
    """Nobody can see from here whether a process of another machine still runs."""
    assert is_leased("elsewhere:1:abc", NOW + 90, NOW)
    assert not is_leased("elsewhere:1:abc", NOW + 90, NOW + 91)


def test_a_process_that_was_killed_keeps_nobody_waiting():
    """A process of this machine that no longer runs holds no lease; one that runs does."""
    process, owner = owner_elsewhere()
    assert is_leased(owner, NOW + 90, NOW)
    process.communicate()
    assert not is_leased(owner, NOW + 90, NOW)


@pytest.mark.skipif(not can_unshare(), reason="no PID namespaces here")
def test_another_containers_process_numbers_mean_nothing_here():
    """A sender in another PID namespace of this very machine and host name is believed until its lease ends.

    Its number is free here, or another process's; it may be at work all the same.
    """
    counts_on = 'echo 31000 >/proc/sys/kernel/ns_last_pid; "$@"; exit'
    process, owner = owner_elsewhere(UNSHARE, "-pf", "--mount-proc", "sh", "-c", counts_on, "sh")
    try:
        number = int(owner.split(":")[-2])
        assert not Path(f"/proc/{number}").exists(), "it runs under another number here"
        assert is_leased(owner, NOW + 90, NOW)
    finally:
        process.communicate()
    assert is_leased(owner, NOW + 90, NOW), "whether it is gone can't be seen from here"
    assert not is_leased(owner, NOW + 90, NOW + 91)


def test_a_host_name_names_no_machine():
    """Two machines may both be called localhost: a free number beside this host's name says nothing."""
    assert is_leased(f"{socket.gethostname()}:4194304:0f3a", NOW + 90, NOW)


def test_two_boots_count_anew():
    """A number of another boot, or of another namespace of this one, isn't looked up here."""
    machine, _, _ = Lease.take(NOW).owner.split(":")
    assert not is_leased(f"{machine}:4194304:abc", NOW + 90, NOW), "the same boot and namespace: it is gone"
    for other in (f"{machine[::-1]}", f"{machine}0", f"0{machine}"):
        assert is_leased(f"{other}:4194304:abc", NOW + 90, NOW)


def test_a_forked_process_holds_nothing_of_its_parents():
    """A fork is a process of its own: the parent's lease holds in it, and it takes its own."""
    lease = Lease.take(NOW + 90)
    with lease.held():
        reads, writes = os.pipe()
        if (pid := os.fork()) == 0:
            same = Lease.take(NOW).owner.rpartition(":")[0] == lease.owner.rpartition(":")[0]
            os.write(writes, bytes([is_leased(lease.owner, NOW + 90, NOW), same]))
            os._exit(0)
        os.waitpid(pid, 0)
        assert os.read(reads, 2) == bytes([True, False])


def test_a_clock_that_jumped_makes_no_lease_for_a_year():
    """A lease that lasts longer than any that is given out was taken by a clock that was wrong."""
    assert not is_leased("elsewhere:1:abc", NOW + LONGEST_SECONDS + 1, NOW)
