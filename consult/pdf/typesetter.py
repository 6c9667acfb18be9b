"""Typst, with our fonts only, so that the same words give the same bytes on any machine."""

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

HERE = Path(__file__).parent
_of_thread = threading.local()  # a compiler may not be borrowed twice


def typeset(template: str, page: dict[str, Any], dated: datetime | None) -> bytes:
    """The PDF of one of the templates in this folder, filled in: about 20 ms of CPU."""
    pdf = _compiler(template).compile(
        format="pdf",
        sys_inputs={"data": json.dumps(page, ensure_ascii=False)},
        timestamp=int(dated.timestamp()) if dated else 0,
    )
    if not isinstance(pdf, bytes):
        raise TypeError("One document was asked for.")
    return pdf


def _compiler(template: str) -> typst.Compiler:
    """Of this thread, made once: reading the fonts costs more than the page."""
    made: dict[str, typst.Compiler] = _of_thread.__dict__.setdefault("compilers", {})
    if template not in made:
        made[template] = new_compiler(template)
    return made[template]


def new_compiler(template: str) -> typst.Compiler:
    """Typst with one of our templates and our fonts."""
    return typst.Compiler(
        input=str(HERE / template),
        root=str(HERE),
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=True,
    )
