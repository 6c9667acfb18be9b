"""What a consultation's socket must know to let its page in, and tells it first: one statement.

A whole consultation with token, patient and doctor costs three times as much to read, and a waiting
page would keep it in memory for nothing.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import BigAutoField, DateTimeField, UUIDField
from django.utils import timezone

from accounts.session_store import Ahead
from consult.live.tips import Tip, tip_columns, tip_of
from consult.models import Consultation
from esanjeevani.sql.composed import Columns
from queues.models import Token

ENTERING = Columns(
    lambda whose, uid, at: (
        Consultation.objects.visible_to(whose, at)
        .filter(uid=uid)
        .values_list(
            "pk", "facility_id", "patient__account_id",
            "token_id", "token__state", "token__clinic_id", *tip_columns(),
        )
    ),
    whose=BigAutoField(),
    uid=UUIDField(),
    at=DateTimeField(),
)  # fmt: skip


def entering(uid: UUID) -> Ahead:
    """What the page's person is asked for."""
    return Ahead(ENTERING.asked, {"uid": uid, "at": timezone.now()}, of="account")


class Entrance(NamedTuple):
    """A consultation as it stood when the page came."""

    pk: int
    facility_id: int | None
    account_id: int
    token_id: int | None
    token_state: str | None
    clinic_id: int | None
    tip: Tip

    @classmethod
    def of(cls, rows: Iterable[Any]) -> "Entrance | None":
        """None when there is no such consultation, or none for this user."""
        for pk, facility, account, token, state, clinic, *tip in rows:
            return cls(pk, facility, account, token, state, clinic, tip_of(*tip))
        return None

    @property
    def place(self) -> tuple[int, int] | None:
        """Clinic and token, while the token is in the line or with a doctor."""
        if self.clinic_id is None or self.token_id is None or self.token_state not in Token.OPEN:
            return None
        return self.clinic_id, self.token_id

    @property
    def at_home(self) -> bool:
        """A patient at a health centre is present by the centre's page, not by a phone at home."""
        return self.facility_id is None
