"""The audit log: who read or wrote what of whom, and who was refused."""

from typing import Any

from accounts.address import current_address
from accounts.models import AuditEvent, Patient, User
from esanjeevani.sql.instances import new
from esanjeevani.sql.rows import insert


def record(
    action: str,
    target: Any = "",
    *,
    by: User | None,
    patient: Patient | None = None,
    address: str | None = None,
) -> None:
    """Write down that `by` read or wrote patient data, in the caller's transaction.

    `address` is where `by` is, if that is not where the request came from.
    """
    _write(action, target, by, patient, address=address)


def refuse(action: str, target: Any, *, by: Any, patient: Patient | None = None) -> None:
    """Write down that `by` asked for something that is not theirs to see."""
    _write(action, target, by, patient, refused=True)


def _write(
    action: str,
    target: Any,
    by: Any,
    patient: Patient | None,
    *,
    refused: bool = False,
    address: str | None = None,
) -> None:
    insert(event(action, target, by=by, patient=patient, address=address, refused=refused))


def event(
    action: str,
    target: Any = "",
    *,
    by: Any,
    patient: Patient | None = None,
    address: str | None = None,
    refused: bool = False,
) -> AuditEvent:
    """The row that record() writes, for who writes it together with what is done (steps.py)."""
    return new(
        AuditEvent,
        action=action,
        target=_named(target),
        by_id=getattr(by, "pk", None),
        patient=patient,
        address=address or current_address(),
        refused=refused,
    )


def _named(target: Any) -> str:
    """For example "consultation:3f2b…": the kind of row and its public id."""
    if isinstance(target, str):
        return target
    return f"{target._meta.model_name}:{getattr(target, 'uid', target.pk)}"
