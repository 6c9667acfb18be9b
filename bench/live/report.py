"""All of it in one run, as a table."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from bench.live.figures import (
    Bare,
    Delay,
    Pace,
    coming_back,
    delay,
    highest_pace,
    published,
    stalled,
    statements,
)
from bench.live.lean_sockets import Target
from bench.live.scene import Scene, waiting_room
from bench.live.servers import Server, command
from bench.live.watchers import Watchers, allow_files, watching
from bench.services import Site
from deploy.trial import free_port

PAIRS, SECONDS = 8, 3.0  # of rounds, ours and the bare server's; a round ends after so long at most
HEADS = 500  # changes that one scene can make
PROCESSES = 2  # that hold the other ends of the sockets
PACED, PACED_CHANGES = 1.5, 8  # seconds between two changes of a line, and how many
BACK_WITHIN = 45.0
BEGINS_WITHIN = 150.0  # seconds: a part that would begin later is left out, so that all of it ends


PARTS = ["pace", "paced", "lines", "many"]


def print_figures(
    site: Site,
    *,
    sockets: int = 1000,
    many: int = 5000,
    server: str = "production",
    parts: list[str] = PARTS,
) -> list[str]:
    """Starts what it needs beside the running site and ends it; returns the lines that it printed."""
    allow_files(many + 500)
    print(
        f"\nLive updates: {sockets:,} sockets of {PROCESSES} client processes, server: {server}\n",
        flush=True,
    )
    lines = []
    for line in _lines(site, sockets, many, server, parts):
        lines.append(line)
        print(line, flush=True)
    return lines


def _lines(site: Site, sockets: int, many: int, server: str, parts: list[str]) -> Iterator[str]:
    begun = time.monotonic()
    for part in parts:
        if time.monotonic() - begun > BEGINS_WITHIN:
            yield f"{part}: left out, the machine is too busy"
        else:
            yield from _part(site, sockets, many, server, part)


def _part(site: Site, sockets: int, many: int, server: str, part: str) -> Iterator[str]:
    if part == "pace":
        with _serving(site, server, "bench.live.unpaced:application") as live:
            yield from _highest_pace(site, waiting_room(1, sockets, HEADS), live)
    elif part == "paced":
        with _serving(site, server) as live:
            yield from _paced(site, waiting_room(1, sockets, PACED_CHANGES), live)
    elif part == "lines":
        with _serving(site, server) as live:
            yield from _lines_of(site, waiting_room(20, sockets // 20, PACED_CHANGES), live)
    elif part == "many":
        with _serving(site, server) as live:
            yield from _memory(site, waiting_room(many // 50, 50, 1), live)


@contextmanager
def _serving(
    site: Site, server: str, application: str = "esanjeevani.asgi:application"
) -> Iterator[Server]:
    port = free_port()
    live = Server(site, f"live-{port}", command(server, port, application), port)
    try:
        yield live
    except Exception:
        print(live.log.read_text(errors="replace")[-3000:])
        raise
    finally:
        live.stop()


@contextmanager
def _bare(site: Site, scene: Scene) -> Iterator[tuple[Bare, Server, Watchers]]:
    port, url = free_port(), site.environment["REDIS_URL"]
    with ExitStack() as undo:
        server = Server(site, "bare", ["bench.live.bare", str(port), url], port)
        undo.callback(server.stop)
        watchers = undo.enter_context(watching(scene.bare_targets(port), PROCESSES))
        yield Bare(url), server, watchers


def _targets(site: Site, scene: Scene, live: Server) -> list[Target]:
    return scene.targets(live.port, f"http://{site.host}")


def _highest_pace(site: Site, scene: Scene, live: Server) -> Iterator[str]:
    """Short rounds in turn, each server first in every other pair: whatever disturbs meets both."""
    targets = _targets(site, scene, live)
    limits = {"seconds": SECONDS, "at_most": HEADS // (PAIRS + 2)}
    with (
        _bare(site, scene) as (bare, bare_server, bare_watchers),
        watching(targets, PROCESSES) as w,
    ):

        def our_round() -> Pace:
            return highest_pace(scene.change, w, live, **limits)

        def bare_round() -> Pace:
            return highest_pace(bare.change, bare_watchers, bare_server, **limits)

        our_round(), bare_round()  # not counted: both are warm from here on
        pairs = [_pair(our_round, bare_round, ours_first=turn % 2 == 0) for turn in range(PAIRS)]
        with stalled(targets[:20]):
            beside = our_round()
    ratios = sorted(ours.per_second / bares.per_second for ours, bares in pairs)
    cpu = median(bares.cpu / ours.cpu for ours, bares in pairs)
    yield f"deliveries a second, one line     {_pace([ours for ours, _bare in pairs])}"
    yield f"  bare websockets.broadcast       {_pace([bares for _ours, bares in pairs])}"
    yield (
        f"  ratio                           {median(ratios):.2f} (of {PAIRS} pairs from {ratios[0]:.2f} "
        f"to {ratios[-1]:.2f}, by CPU {cpu:.2f}); target 0.70"
    )
    yield f"  beside 20 that do not read      {_pace([beside])}"


def _pair(
    ours: Callable[[], Pace], bares: Callable[[], Pace], *, ours_first: bool
) -> tuple[Pace, Pace]:
    if ours_first:
        return ours(), bares()
    first = bares()
    return ours(), first


def _pace(rounds: list[Pace]) -> str:
    middle = median(one.per_second for one in rounds)
    return f"{middle:,.0f}, {median(one.cpu for one in rounds):.1f} us CPU each"


def _paced(site: Site, scene: Scene, live: Server) -> Iterator[str]:
    url = site.environment["REDIS_URL"]
    with _bare(site, scene) as (bare, _server, bare_watchers):
        there = delay(bare.change, bare.committed, bare_watchers, 1, PACED_CHANGES, PACED)
    empty = live.resident()
    with watching(_targets(site, scene, live), PROCESSES) as w:
        yield f"memory per socket                 {_each(live, empty, scene)}; target 40 KiB"
        with published(url) as messages:
            asked = statements()
            here = delay(scene.change, scene.committed, w, 1, PACED_CHANGES, PACED)
            asked, told = statements() - asked, messages()
        yield f"one line, from commit to page     {_delay(here)}; target p99 60 ms"
        yield f"  bare, from publish to page      {_delay(there)}"
        yield (
            f"  one change                      {told / PACED_CHANGES:.1f} messages, "
            f"{asked / PACED_CHANGES:.1f} statements in all; target 1 message"
        )
        w.ask("keep open")
        right = w.ask("places")

        def killed() -> None:
            live.kill()
            w.ask("cut")
            live.start()

        for name, lose in {"cut": lambda: w.ask("cut"), "server killed": killed}.items():
            back = coming_back(lose, right, w, BACK_WITHIN)
            yield (
                f"{name}: all are back in{'':10}{back.last:.1f} s, {back.missing} missing, "
                f"{back.refused} refused, {back.statements:.1f} statements each; target 15 s"
            )


def _lines_of(site: Site, scene: Scene, live: Server) -> Iterator[str]:
    with watching(_targets(site, scene, live), PROCESSES) as w:
        asked = statements()
        here = delay(scene.change, scene.committed, w, len(scene.clinics), PACED_CHANGES, PACED)
        asked = statements() - asked
    changes = PACED_CHANGES * len(scene.clinics)
    yield f"20 lines, from commit to page     {_delay(here)}; target p99 60 ms"
    yield f"  one change                      {asked / changes:.1f} statements in all"


def _delay(one: Delay) -> str:
    return f"p50 {one.median:.1f}, p99 {one.p99:.1f}, longest {one.longest:.1f} ms"


def _memory(site: Site, scene: Scene, live: Server) -> Iterator[str]:
    targets = _targets(site, scene, live)
    with watching(targets[:50], 1):
        pass  # everything is imported and connected
    empty, begun = live.resident(), time.monotonic()
    with watching(targets, PROCESSES):
        took = time.monotonic() - begun
        yield (
            f"{len(targets):,} sockets in one process    {_each(live, empty, scene)}, "
            f"opened in {took:.0f} s; target 40 KiB"
        )


def _each(live: Server, empty: int, scene: Scene) -> str:
    sockets = sum(len(pages) for pages in scene.pages)
    return f"{(live.resident() - empty) / sockets:.1f} KiB"
