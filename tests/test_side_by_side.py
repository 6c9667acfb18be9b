"""tests/side_by_side.py: a failure in any part fails the whole, and all are heard."""

import json
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


# As pytest does: one is given a folder to note there what failed, and is told to run that again.
NOTED = """notes=$(echo "$*" | sed -E 's/.*cache_dir=([^ ]+).*/\\1/')/v/cache; mkdir -p $notes
echo '{failed}' > $notes/lastfailed
case "$*" in *--last-failed*) exit {again};; *) exit {first};; esac"""


@pytest.mark.parametrize(
    ("failed", "first", "again", "whole"),
    [(3, 1, 0, 0), (3, 1, 1, 1), (4, 1, 0, 1), (3, 2, 0, 2)],
    ids=["chance", "broken", "many", "not tests"],
)
def test_in_ci_the_few_that_failed_run_once_more_and_are_named(failed, first, again, whole):
    names = {f"tests/test_it.py::test_{number}": True for number in range(failed)}
    does = NOTED.format(failed=json.dumps(names), first=first, again=again)
    running = parts("true", does, "true", in_ci="true")
    said, _none = running.communicate(timeout=SOON)
    assert running.returncode == whole
    assert ("Passed the second time" in said) == (whole == 0)
    assert said.count("tests/test_it.py::test_2") == {0: 2, 1: int(failed <= 3), 2: 0}[whole]


def test_at_ones_desk_nothing_runs_twice():
    does = NOTED.format(failed=json.dumps({"tests/test_it.py::test_0": True}), first=1, again=0)
    running = parts("true", does, "true")
    assert running.communicate(timeout=SOON)[0] == ""
    assert running.returncode == 1


@pytest.mark.parametrize("in_ci", ["", "true"])
def test_whoever_ends_it_ends_all_parts(in_ci):
    running = parts("echo up; exec sleep 600", "exec sleep 600", "exec sleep 600", in_ci)
    assert running.stdout
    assert running.stdout.readline() == "up\n"
    running.send_signal(signal.SIGTERM)
    # Its output ends when nobody is left who could write to it.
    assert running.communicate(timeout=SOON)[0] == ""
    assert running.returncode == 1
