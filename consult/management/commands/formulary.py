from typing import Any

from django.core.management.base import BaseCommand

from consult.actions import load_starter


class Command(BaseCommand):
    help = "Adds the generics of the starter set that the formulary lacks; changes nothing else."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Added to the formulary: {load_starter()} generics.")
