"""Seconds of CPU that processes have used and the memory they hold, as Linux counts them."""

import os
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
OWN = re.compile(r"^Pss_Anon: +(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """One line of /proc/<pid>/stat."""

    name: str
    parent: int
    seconds: float  # its own, and that of its children that have ended


def process(pid: int) -> Process | None:
    """None when there is no such process on this machine."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = line.partition("(")[2].rpartition(")")
    words = rest.split()
    return Process(name, int(words[1]), sum(map(int, words[11:15])) / TICKS)


def tree_seconds(pid: int) -> float:
    """What a process and all its descendants, living and dead, have used so far."""
    return sum(found.seconds for found in _tree(pid).values())


def tree_memory(pid: int) -> int:
    """Bytes that a process and its living descendants hold for themselves.

    Without files and memory that all share, as PostgreSQL's buffers. Of somebody else's processes only
    root is told; 0 of others.
    """
    total = 0
    for one in _tree(pid):
        with suppress(OSError):
            found = OWN.search(Path(f"/proc/{one}/smaps_rollup").read_text())
            total += int(found[1]) * 1024 if found else 0
    return total


def _tree(pid: int) -> dict[int, Process]:
    """A process and all its living descendants."""
    everybody = {int(path.name): process(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    children = defaultdict(list)
    for child, found in everybody.items():
        if found:
            children[found.parent].append(child)
    tree: dict[int, Process] = {}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        if found := everybody.get(one):
            tree[one] = found
        waiting += children[one]
    return tree


def machine_seconds() -> float:
    """What all processes of this machine have used so far, on all cores together."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _iowait, interrupts, soft, *_others = map(int, line.split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS
