from queues.models.apart import KeptApart
from queues.models.clinics import Clinic, ClinicDay, ClinicHours, HubLink
from queues.models.duties import Duty
from queues.models.moves import MoveRefused, Moving
from queues.models.presence import Presence
from queues.models.tokens import PRIORITY_RUN, Token

__all__ = [
    "PRIORITY_RUN",
    "Clinic",
    "ClinicDay",
    "ClinicHours",
    "Duty",
    "HubLink",
    "KeptApart",
    "MoveRefused",
    "Moving",
    "Presence",
    "Token",
]
