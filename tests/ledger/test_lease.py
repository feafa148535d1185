"""Who has the right to send a question, and for how long."""

import os
import socket
import subprocess
import sys

from codevf_nb.ledger.lease import LONGEST_SECONDS, Lease, is_leased

NOW = 1_800_000_000.0


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
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = f"{socket.gethostname()}:{process.pid}:abc"
    assert is_leased(owner, NOW + 90, NOW)
    process.communicate()
    assert not is_leased(owner, NOW + 90, NOW)
    assert is_leased(f"{socket.gethostname()}:{os.getppid()}:abc", NOW + 90, NOW)


def test_a_clock_that_jumped_makes_no_lease_for_a_year():
    """A lease that lasts longer than any that is given out was taken by a clock that was wrong."""
    assert not is_leased("elsewhere:1:abc", NOW + LONGEST_SECONDS + 1, NOW)
