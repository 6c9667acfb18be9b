"""Typst, with our fonts only, so that the same words give the same bytes on any machine."""

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import typst

HERE = Path(__file__).parent
_of_thread = threading.local()  # a compiler may not be borrowed twice


def typeset(template: str, page: dict[str, Any], dated: datetime | None) -> bytes:
    """The PDF of one of the templates in this folder, filled in: about 20 ms of CPU."""
    pdf = _compiler().compile(
        input=source(template, page),
        format="pdf",
        timestamp=int(dated.timestamp()) if dated else 0,
    )
    if not isinstance(pdf, bytes):
        raise TypeError("One document was asked for.")
    return pdf


def source(template: str, page: dict[str, Any]) -> bytes:
    """What Typst draws: the template's paper() of this page, as one quoted text.

    Given as an input (`sys_inputs`) a page costs a twelfth more: to Typst it would be in another language,
    in which it has not laid out anything yet.
    """
    words = json.dumps(page, ensure_ascii=False)
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'#import "/{template}": paper\n#paper(json(bytes("{quoted}")))'.encode()


def _compiler() -> typst.Compiler:
    """Of this thread, made once: reading the fonts costs more than the page."""
    if not hasattr(_of_thread, "compiler"):
        _of_thread.compiler = new_compiler()
    return cast(typst.Compiler, _of_thread.compiler)


def new_compiler() -> typst.Compiler:
    """Typst with our templates and our fonts."""
    return typst.Compiler(
        root=str(HERE),
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=True,
    )
