"""tests/side_by_side.py: a failure in any part fails the whole, and all are heard."""

import os
import signal
import subprocess
import sys

import pytest

from tests.running import ROOT, SOON

# In the place of what starts the services: it says which part it is given, and runs no test.
EACH = """case "$*" in
  *--ignore=tests/api*) {inside};; *tests/api*) {outside};; *test_call.py*) {calls};;
esac"""


def parts(inside: str, outside: str, calls: str, in_ci: str = "") -> "subprocess.Popen[str]":
    does = EACH.format(inside=inside, outside=outside, calls=calls)
    command = [sys.executable, "-m", "tests.side_by_side", "sh", "-c", does, "sh"]
    environment = os.environ | {"CI": in_ci}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize("in_ci", ["", "true"])
@pytest.mark.parametrize(
    ("codes", "whole"),
    [((0, 0, 0), 0), ((2, 0, 0), 2), ((0, 5, 0), 5), ((0, 0, 3), 3), ((0, 1, 2), 1)],
)
def test_it_fails_when_one_part_does_and_what_all_said_is_shown(codes, whole, in_ci):
    does = [f"echo {place}; exit {code}" for place, code in enumerate(codes)]
    running = parts(*does, in_ci)
    said, _none = running.communicate(timeout=SOON)
    assert said == "0\n1\n2\n"
    assert running.returncode == whole


def test_in_ci_a_call_begins_when_nobody_computes_beside_it(tmp_path):
    ended = tmp_path / "ended"
    running = parts("true", f"sleep 1; touch {ended}", f"ls {ended}", in_ci="true")
    assert running.communicate(timeout=SOON)[0] == f"{ended}\n"
    assert running.returncode == 0


@pytest.mark.parametrize("in_ci", ["", "true"])
def test_whoever_ends_it_ends_all_parts(in_ci):
    running = parts("echo up; exec sleep 600", "exec sleep 600", "exec sleep 600", in_ci)
    assert running.stdout
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGTERM)
    # Its output ends when nobody is left who could write to it.
    assert running.communicate(timeout=SOON)[0] == ""
    assert running.returncode == 1
