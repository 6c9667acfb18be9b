from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consult.demo.loading import OnlyInDemo, load_demo
from consult.demo.people import DEMO_ACCOUNTS, DEMO_PASSWORD, DEMO_STAFF, DemoAccount, DemoStaff


class Command(BaseCommand):
    help = "Writes the demonstration's clinics, doctors and patients. Refuses unless DEMO is set."

    def handle(self, **options: Any) -> None:
        try:
            load_demo()
        except OnlyInDemo:
            raise CommandError("Invented doctors are for DEMO=1 only.") from None
        self.stdout.write("\n".join([*_staff_table(), "", *_patients_table()]))


def _staff_table() -> list[str]:
    return [
        f"Staff sign in at {settings.SITE_URL}/staff/sign-in/ with number, password and code.",
        f"Password of all: {DEMO_PASSWORD}   Codes: {settings.SITE_URL}/demo/",
        *(f"  {_number(staff)}  {staff.role:<22}{_about(staff)}" for staff in DEMO_STAFF),
    ]


def _patients_table() -> list[str]:
    return [
        f"Patients sign in at {settings.SITE_URL}/sign-in/ by SMS; any other number works too.",
        f"SMS are shown at {settings.SITE_URL}/demo/sms/",
        *(f"  {_number(account)}  {_family(account)}" for account in DEMO_ACCOUNTS),
    ]


def _about(staff: DemoStaff) -> str:
    return staff.name if getattr(staff, "verified", True) else f"{staff.name} (not verified yet)"


def _family(account: DemoAccount) -> str:
    return ", ".join(f"{patient.name} ({patient.age})" for patient in account.patients)


def _number(person: DemoStaff | DemoAccount) -> str:
    """As people read it: 90000 00001."""
    return f"{person.phone[3:8]} {person.phone[8:]}"
