"""The driver itself plays a few people against the running site, as `make load` does.

Whether what it measures is good is not asked here: a machine may be slow.
"""

import os
import re
import subprocess
import sys

import pytest

from bench.load.network import NotLoopback, loopback
from tests.running import ROOT

# So many that both kinds come, patients at home and at a health centre: once in a million runs not.
PLAYED = {
    "rate": 3, "seconds": 10, "warm-up": 0, "hub-share": 0.5, "newcomers": 1, "compression": 400,
    "clinics": 1,
}  # fmt: skip
WHAT_PEOPLE_DO = {
    "patient: register", "patient: take the token", "patient: waiting room", "patient: go in",
    "patient: result", "centre: register", "centre: the case saves itself", "centre: send",
    "centre: bring the patient in", "centre: given out", "desk: call next", "doctor: drug search",
    "doctor: the page saves itself", "doctor: issue", "doctor: finish", "prescription: PDF",
    "socket: hello", "call rings", "message", "prescription issued",
}  # fmt: skip


def test_it_loads_this_machine_and_no_other() -> None:
    assert loopback("http://127.0.0.1:8000/") == "http://127.0.0.1:8000"
    with pytest.raises(NotLoopback):
        loopback("https://127.0.0.1.example.org/")


@pytest.mark.postgresql
@pytest.mark.redis
@pytest.mark.timeout(1800)
def test_it_plays_everybodys_part_and_looks_at_the_invariants() -> None:
    options = [word for name, value in PLAYED.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench.load", "--flat", "--web-workers", "1", *options]
    played = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True)
    said = played.stdout + played.stderr
    assert re.search(r"^Invariants broken: \d+ \([1-9]\d+ checks", said, re.MULTILINE), said[-5000:]
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \|", played.stdout, re.MULTILINE)
    done = {name for name, times in rows if int(times)}
    assert WHAT_PEOPLE_DO - done == set(), said[-5000:]
