"""Seconds of CPU that processes have used, as Linux counts them."""

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


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
    everybody = {int(path.name): process(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    children = defaultdict(list)
    for child, found in everybody.items():
        if found:
            children[found.parent].append(child)
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        found = everybody.get(one)
        total += found.seconds if found else 0.0
        waiting += children[one]
    return total


def machine_seconds() -> float:
    """What all processes of this machine have used so far, on all cores together."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _iowait, interrupts, soft, *_others = map(int, line.split()[1:])
    return (user + nice + system + interrupts + soft) / TICKS
