"""Runs all tests as three parts, each with a database, a Redis and a folder of its own: at once, and in CI
the calls after the others.

    python -m tests.side_by_side [deploy/with-services --]

What the arguments name starts the services of each part. Calls wait for what takes its time in the world;
other browsers, programs and proxies wait and compute; all the rest computes. What one part says is shown
when those before it are done.
"""

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


def parts(services: list[str]) -> list[list[str]]:
    """Every test is in one of them: what one is given, another leaves out.

    What computes stands back: a browser that is kept waiting gives the pictures of its call up.
    """
    pytest = [*services, sys.executable, "-m", "pytest"]
    return [
        ["nice", "-n", "10", *pytest, *_without(FROM_OUTSIDE)],
        ["nice", "-n", "5", *pytest, *FROM_OUTSIDE, *_without(CALLS)],
        [*pytest, *CALLS],
    ]


def _without(paths: list[str]) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def main() -> int:
    *computing, calls = parts(sys.argv[1:])
    # What CI says decides over a change: there nobody computes beside a call.
    turns = [computing, [calls]] if os.environ.get("CI") else [[*computing, calls]]
    running: list[subprocess.Popen[bytes]] = []
    asked_to_end = end_with_us(running)
    for turn in turns:
        if not asked_to_end:
            run_at_once(turn, running, asked_to_end)
    # What a signal ended has a code below zero.
    codes = [one.returncode for one in running]
    return next((code if code > 0 else 1 for code in codes if code), int(bool(asked_to_end)))


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
