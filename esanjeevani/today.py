"""The day as the service's people count it: by the clocks on their walls."""

from datetime import datetime

from django.utils import timezone


def midnight() -> datetime:
    """When today began."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
