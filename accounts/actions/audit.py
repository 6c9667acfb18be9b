from typing import Any

from accounts.address import current_address
from accounts.models import AuditEvent, Patient, User


def record(
    action: str, target: Any = "", *, by: User | None, patient: Patient | None = None
) -> None:
    """Write down that `by` read or wrote patient data, in the caller's transaction."""
    AuditEvent.objects.create(
        action=action,
        target=_named(target),
        by=by if by and by.pk else None,
        patient=patient,
        address=current_address(),
    )


def refuse(action: str, target: Any, *, by: Any, patient: Patient | None = None) -> None:
    """Write down that `by` asked for something that is not theirs to see."""
    AuditEvent.objects.create(
        action=action,
        target=_named(target),
        by=by if getattr(by, "pk", None) else None,
        patient=patient,
        address=current_address(),
        refused=True,
    )


def _named(target: Any) -> str:
    """For example "consultation:3f2b…": the kind of row and its public id."""
    if isinstance(target, str):
        return target
    return f"{target._meta.model_name}:{getattr(target, 'uid', target.pk)}"
