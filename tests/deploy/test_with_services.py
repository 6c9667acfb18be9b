"""deploy/with-services: it gives working servers, and none is left whatever ends it."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from deploy.trial import ROOT
from tests.running import SOON

POSTGRES = list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")
TURNSERVER = shutil.which("turnserver")
pytestmark = pytest.mark.skipif(
    not (POSTGRES and shutil.which("redis-server")) and not os.environ.get("REQUIRE_SERVICES"),
    reason="PostgreSQL or Redis is not installed",
)
PROGRAM = str(ROOT / "deploy" / "with-services")


def alive(pid: int) -> bool:
    """Whether it still runs; one that waits for its parent to notice has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def folder_of(postgres: int) -> Path:
    words = Path(f"/proc/{postgres}/cmdline").read_text().split("\0")
    return Path(words[words.index("-D") + 1]).parent


def test_it_gives_addresses_and_passes_the_exit_code_on():
    done = subprocess.run(
        [PROGRAM, "--", "sh", "-c", "echo $DATABASE_URL $REDIS_URL; exit 7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    assert re.fullmatch(
        r"postgres://esanjeevani@%2Ftmp%2F\w+%2Fsockets:\d+/esanjeevani redis://127\.0\.0\.1:\d+/0\n",
        done.stdout,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended(ending):
    started = subprocess.Popen(
        [PROGRAM, "--", "sh", "-c", "echo up; exec sleep 60"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert started.stdout
    assert started.stdout.readline() == b"up\n"
    *servers, command = children_of(started.pid)
    assert len(servers) == (3 if TURNSERVER else 2)
    folder = folder_of(servers[0])
    started.send_signal(ending)
    started.wait(SOON)
    started.stdout.close()
    until = time.monotonic() + SOON
    while any(alive(pid) for pid in servers) and time.monotonic() < until:
        time.sleep(0.1)
    assert [pid for pid in servers if alive(pid)] == []
    if ending == signal.SIGKILL:  # nobody was left to end the command and tidy up
        os.kill(command, signal.SIGTERM)
        shutil.rmtree(folder)
    assert not folder.exists()


def test_it_says_which_command_it_cannot_run():
    done = subprocess.run([PROGRAM, "--", "nosuch"], capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert "nosuch" in done.stderr
