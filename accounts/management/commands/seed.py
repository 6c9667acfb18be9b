from typing import Any

from django.core.management.base import BaseCommand

from accounts.seeding import seed


class Command(BaseCommand):
    help = "Writes the states, specialities and SMS texts that every deployment needs."

    def handle(self, **options: Any) -> None:
        there = ", ".join(f"{count} {name}" for name, count in seed().items())
        self.stdout.write(f"There are {there}.")
