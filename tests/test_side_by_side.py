"""tests/side_by_side.py: a failure in either half fails the whole, and both are heard."""

import signal
import subprocess
import sys

import pytest

from tests.running import ROOT, SOON

# In the place of what starts the services: it says which half it is given, and runs no test.
EACH = 'case "$*" in *--ignore=tests/browser*) {inside};; *tests/browser*) {outside};; esac'


def halves(inside: str, outside: str) -> "subprocess.Popen[str]":
    each = ["sh", "-c", EACH.format(inside=inside, outside=outside), "sh"]
    command = [sys.executable, "-m", "tests.side_by_side", *each]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, start_new_session=True
    )


@pytest.mark.parametrize(
    ("inside", "outside", "whole"), [(0, 0, 0), (2, 0, 2), (0, 5, 5), (1, 2, 1)]
)
def test_it_fails_when_one_half_does_and_what_both_said_is_shown(inside, outside, whole):
    running = halves(f"echo one; exit {inside}", f"echo other; exit {outside}")
    said, _none = running.communicate(timeout=SOON)
    assert said == "one\nother\n"
    assert running.returncode == whole


def test_whoever_ends_it_ends_both_halves():
    running = halves("echo up; exec sleep 600", "exec sleep 600")
    assert running.stdout
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGTERM)
    # Its output ends when nobody is left who could write to it.
    assert running.communicate(timeout=SOON)[0] == ""
    assert running.returncode == 1
