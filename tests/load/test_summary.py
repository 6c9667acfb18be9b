"""The table at the end of `make bench`: every figure that has an aim, and whether it is reached."""

from bench.summary import Figure, of_live, table

LIVE = [
    "deliveries a second, one line     7,800, 26.1 us CPU each",
    "  ratio                           0.62 (of 8 pairs from 0.58 to 0.66, by CPU 0.70); target 0.70",
    "memory per socket                 34.7 KiB; target 40 KiB",
    "one line, from commit to page     p50 1.2, p99 91.0, longest 120.3 ms; target p99 60 ms",
    "  one change                      1.0 messages, 3.0 statements in all; target 1 message",
    "cut: all are back in          19.0 s, 2 missing, 0 refused, 4.1 statements each; target 15 s",
]


def test_what_the_live_updates_aim_at_is_read_from_their_lines() -> None:
    assert [(one.what, one.value, one.aim, one.unit, one.is_reached) for one in of_live(LIVE)] == [
        ("live: ratio", 0.62, 0.7, "", False),
        ("live: memory per socket", 34.7, 40, "KiB", True),
        ("live: one line, from commit to page, p99", 91.0, 60, "ms", False),
        ("live: one change", 1.0, 1, "message", True),
        ("live: cut: all are back in", 19.0, 15, "s", False),
    ]


def test_the_table_says_what_is_missed() -> None:
    rows = table([Figure("queries", 31, 30), Figure("ratio", 0.8, 0.7, at_least=True)])
    assert "| queries | 31     | at most 30   | NO      |" in rows
    assert "| ratio   | 0.80   | at least 0.7 | yes     |" in rows
