"""JSON from outside, as far as the database and an answer can hold what it says."""

import json
import math
import re
from typing import Any, NoReturn

# Written so, a text may hold what no text may: NUL, or half of a pair of surrogates.
SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def read_json(raw: bytes) -> Any:
    """What it says. Raises ValueError for what is no JSON, is nested too deeply, or holds no text."""
    try:
        said = json.loads(raw.decode(), parse_float=_finite, parse_constant=_refuse)
        if SUSPICIOUS.search(raw) and not _is_text(said):
            raise ValueError("NUL or half a character")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return said


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no finite number")


def _finite(number: str) -> float:
    return float(number) if math.isfinite(float(number)) else _refuse(number)


def _is_text(part: Any) -> bool:
    """Whether every text in it, names too, can be written as UTF-8 and stored."""
    if isinstance(part, str):
        return "\0" not in part and not re.search("[\ud800-\udfff]", part)
    if isinstance(part, dict):
        return all(_is_text(name) and _is_text(value) for name, value in part.items())
    return not isinstance(part, list) or all(map(_is_text, part))
