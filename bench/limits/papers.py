"""The PDF of a prescription beside a bare call of the renderer with the same words, in one process."""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from bench.limits import Limit
from bench.measure import Measured
from bench.prescriptions import issued
from bench.services import Site
from consult.pdf import Paper, page_of, render_pdf
from consult.pdf.typesetter import new_compiler, source

PAPERS = 40


def measure(
    site: Site, measured: list[Measured], *, seconds: float, clients: int
) -> Iterator[Limit]:
    """By turns, each with papers of its own: Typst remembers what it has laid out once."""
    del site, measured, seconds, clients
    compiler, papers = new_compiler(), list(issued(2 * PAPERS, "hi"))
    ours, bare = [], []
    for mine, other in zip(papers[::2], papers[1::2], strict=True):
        ours.append(_cpu(render_pdf, mine))
        words = source("prescription.typ", page_of(other, Paper.A4))
        bare.append(_cpu(compiler.compile, input=words, format="pdf"))
    yield Limit(
        what="PDF of a prescription",
        ours=1 / median(ours[1:]),  # the first loads the fonts
        beside="Typst alone, such words",
        bare=1 / median(bare[1:]),
        unit="a second of CPU",
    )


def _cpu(do: Callable[..., Any], *args: Any, **kwargs: Any) -> float:
    """Seconds."""
    begun = time.process_time()
    do(*args, **kwargs)
    return time.process_time() - begun
