from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.lgd import BadFile, load

MOST_ERRORS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Loads states and districts from the CSV files of the Local Government Directory "
        "(lgdirectory.gov.in). All or nothing; names and translations written here are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--states", type=Path, metavar="FILE", help="the directory's states")
        parser.add_argument("--districts", type=Path, metavar="FILE", help="and its districts")

    def handle(self, **options: Any) -> None:
        if not options["states"] and not options["districts"]:
            raise CommandError("Give --states FILE, --districts FILE or both.")
        try:
            counts = load(states=options["states"], districts=options["districts"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except BadFile as error:
            raise CommandError(_said(error.errors)) from error
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count.added} added, {count.changed} changed")


def _said(errors: list[str]) -> str:
    more = len(errors) - MOST_ERRORS_SHOWN
    lines = ["Nothing was loaded.", *errors[:MOST_ERRORS_SHOWN]]
    return "\n".join([*lines, f"… and {more} more." if more > 0 else ""]).strip()
