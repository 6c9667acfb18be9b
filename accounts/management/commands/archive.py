from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.archive import NotArchived, archive

KEPT = 12  # months at least: India's rules on personal data ask for the logs of one year
MONTH = timedelta(days=31)


class Command(BaseCommand):
    help = (
        "Moves audit events and sent SMS older than so many months into files, which "
        "`manage.py loaddata FILE` reads back. The files hold personal data: keep them as the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--months", type=int, required=True, help=f"{KEPT} or more")
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")

    def handle(self, **options: Any) -> None:
        if options["months"] < KEPT:
            raise CommandError(f"{KEPT} months stay in the database at least.")
        if not options["to"].is_dir():
            raise CommandError(f"{options['to']} is no folder.")
        before = timezone.now() - options["months"] * MONTH
        try:
            for kept in archive(before, options["to"]):
                self.stdout.write(f"{kept.path}: {kept.rows} rows")
        except (NotArchived, OSError) as error:
            raise CommandError(str(error)) from error
