"""Runs all tests as two halves at once, each with a database, a Redis and a folder of its own.

    python -m tests.side_by_side [deploy/with-services --]

What the arguments name starts the services of each half. One half looks at the service from outside, by
browsers, programs and proxies, and ends parts of it; it waits more than it computes. What it says is
shown when the other half is done.
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FROM_OUTSIDE = ["tests/api", "tests/browser", "tests/deploy", "tests/faults"]


def halves(services: list[str]) -> tuple[list[str], list[str]]:
    """Every test is in one of them: what the second is given, the first leaves out.

    The first stands back: a browser that is kept waiting gives the pictures of its call up.
    """
    pytest = [*services, sys.executable, "-m", "pytest"]
    others = [f"--ignore={path}" for path in FROM_OUTSIDE]
    return ["nice", "-n", "10", *pytest, *others], [*pytest, *FROM_OUTSIDE]


def main() -> int:
    inside, outside = halves(sys.argv[1:])
    running: list[subprocess.Popen[bytes]] = []
    asked_to_end = end_with_us(running)
    with tempfile.NamedTemporaryFile() as said:
        running.append(subprocess.Popen(inside))
        running.append(subprocess.Popen(outside, stdout=said, stderr=subprocess.STDOUT))
        if asked_to_end:  # before both were there to be told
            for one in running:
                one.terminate()
        codes = [running[0].wait()]
        show(Path(said.name), until_ended=running[1])
        codes.append(running[1].wait())
    # What a signal ended has a code below zero.
    return next((code if code > 0 else 1 for code in codes if code), 0)


def end_with_us(running: list[subprocess.Popen[bytes]]) -> list[int]:
    """Passes on what would end us; the signals that came, one after the other."""
    came: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        came.append(number)
        for one in running:
            one.send_signal(number)

    # A terminal's Ctrl-C has reached them already; we wait until they have tidied up.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
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
