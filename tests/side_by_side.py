"""Runs all tests as three parts, each with a database, a Redis and a folder of its own: at once, and in CI
the calls after the others.

    python -m tests.side_by_side [deploy/with-services --]

What the arguments name starts the services of each part. Calls wait for what takes its time in the world;
other browsers, programs and proxies wait and compute; all the rest computes. What one part says is shown
when those before it are done. In CI the few that failed run once more, and are named
(docs/decisions/0069-in-ci-what-few-failed-runs-once-more.md).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CALLS = [
    f"tests/browser/test_{name}.py"
    for name in ("call", "call_network", "devices", "four_people", "stay")
]
FROM_OUTSIDE = [f"tests/{name}" for name in ("abdm", "api", "browser", "deploy", "faults", "fhir")]
IN_CI = bool(os.environ.get("CI"))
SOME_FAILED = 1  # what pytest ends with then
A_FEW = 3  # more than these did not fail by chance

Part = list[str]


def parts(services: list[str], notes: Path) -> list[Part]:
    """Every test is in one of them: what one is given, another leaves out. Each notes there what failed.

    What computes stands back: a browser that is kept waiting gives the pictures of its call up.
    """
    pytest = [*services, sys.executable, "-m", "pytest", "-o"]
    return [
        ["nice", "-n", "10", *pytest, f"cache_dir={notes}/0", *_without(FROM_OUTSIDE)],
        ["nice", "-n", "5", *pytest, f"cache_dir={notes}/1", *FROM_OUTSIDE, *_without(CALLS)],
        [*pytest, f"cache_dir={notes}/2", *CALLS],
    ]


def _without(paths: list[str]) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def main() -> int:
    with tempfile.TemporaryDirectory() as notes:
        return run(parts(sys.argv[1:], Path(notes)), Path(notes))


def run(those: list[Part], notes: Path) -> int:
    *computing, calls = those
    # What CI says decides over a change: there nobody computes beside a call.
    turns = [computing, [calls]] if IN_CI else [those]
    running: list[subprocess.Popen[bytes]] = []
    asked_to_end = end_with_us(running)
    for turn in turns:
        if not asked_to_end:
            run_at_once(turn, running, asked_to_end)
    # What a signal ended has a code below zero.
    codes = [one.returncode for one in running]
    for number, code in enumerate(codes if IN_CI and not asked_to_end else []):
        failed = few_failed(notes / str(number)) if code == SOME_FAILED else []
        if failed:
            codes[number] = once_more(those[number], failed, running, asked_to_end)
    return next((code if code > 0 else 1 for code in codes if code), int(bool(asked_to_end)))


def few_failed(notes: Path) -> list[str]:
    """The tests of one part that failed, or none where they are many."""
    kept = notes / "v" / "cache" / "lastfailed"
    failed = list(json.loads(kept.read_text())) if kept.exists() else []
    return failed if len(failed) <= A_FEW else []


def once_more(
    part: Part, failed: list[str], running: list[subprocess.Popen[bytes]], asked_to_end: list[int]
) -> int:
    named = "".join(f"\n  {test}" for test in failed)
    print(f"\nOnce more, what failed above:{named}", flush=True)
    run_at_once([[*part, "--last-failed"]], running, asked_to_end)
    code = running[-1].returncode
    if code == 0:
        print(f"Passed the second time, and wants mending:{named}", flush=True)
    return code


def run_at_once(
    turn: list[list[str]], running: list[subprocess.Popen[bytes]], asked_to_end: list[int]
) -> None:
    """Says what the first part says at once, and what the others said after it."""
    first, *others = turn
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, str(number)) for number, _part in enumerate(others)]
        now = [subprocess.Popen(first)]
        running.append(now[0])
        for part, output in zip(others, said, strict=True):
            with output.open("wb") as here:
                now.append(subprocess.Popen(part, stdout=here, stderr=subprocess.STDOUT))
            running.append(now[-1])
        if asked_to_end:  # before all were there to be told
            for one in now:
                one.terminate()
        now[0].wait()
        for one, output in zip(now[1:], said, strict=True):
            show(output, until_ended=one)


def end_with_us(running: list[subprocess.Popen[bytes]]) -> list[int]:
    """Passes on what would end us; the signals that came, one after the other."""
    came: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        came.append(number)
        for one in running:
            one.send_signal(number)

    # A terminal's Ctrl-C has reached them already; we wait until they have tidied up.
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    return came


def show(said: Path, until_ended: subprocess.Popen[bytes]) -> None:
    """What was said so far, then the rest as it comes."""
    with said.open("rb") as new:
        while True:
            ended = until_ended.poll() is not None
            sys.stdout.buffer.write(new.read())
            sys.stdout.buffer.flush()
            if ended:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
