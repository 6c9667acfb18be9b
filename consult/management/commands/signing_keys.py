import contextlib
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consult.signing.certificate import make_certificate
from consult.signing.keys import make_key


class Command(BaseCommand):
    help = "Makes the private key SIGNING_KEY_ID in SIGNING_KEYS. Without it no prescription is issued."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demonstration",
            action="store_true",
            help="Also a certificate of our own for PDFs. What is there already stays.",
        )

    def handle(self, *, demonstration: bool, **options: Any) -> None:
        if demonstration:
            with contextlib.suppress(FileExistsError):
                make_key(settings.SIGNING_KEY_ID)
            with contextlib.suppress(FileExistsError):
                make_certificate()
            return
        try:
            file = make_key(settings.SIGNING_KEY_ID)
        except FileExistsError:
            raise CommandError(
                f"There is a key {settings.SIGNING_KEY_ID}. A new key needs a new SIGNING_KEY_ID."
            ) from None
        self.stdout.write(f"Written: {file}. Keep a copy where few can reach it.")
