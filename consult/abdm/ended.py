"""Consents whose end has come before they did: remembered until they come, however late that is.

Of such a notice stay its ids, in the row in which it came: a few hundred bytes for each consent that
the gateway itself said has ended and never brought.
"""

from typing import Any

from django.utils import timezone

from consult.abdm.messages import IN
from consult.models import AbdmMessage

HELD, ASKED_FOR = "consent/request/hip/notify", "hiu/consent/request/notify"
ENDS = ("REVOKED", "EXPIRED")
IDS = ("consentId", "consentRequestId")


def remembered(message: AbdmMessage) -> dict[str, Any]:
    """What stays of a callback that is given up: nothing, unless it tells of an end."""
    notice = message.body.get("notification")
    if message.kind not in (HELD, ASKED_FOR) or not _is_end(notice, message.kind):
        return {}
    ids = {name: notice[name] for name in IDS if isinstance(notice.get(name), str)}
    artefacts = [{"id": one} for one in _artefacts(notice)]
    return {"notification": {**ids, "status": notice["status"], "consentArtefacts": artefacts}}


def has_ended(artefact: str, *, request: str = "") -> bool:
    """Whether a notice that is not worked on yet ends it: of one that we hold, or asked for by `request`."""
    if request:
        notices = _notices(ASKED_FOR, consentRequestId=request)
        return any(artefact in _artefacts(one.body["notification"]) for one in notices)
    return bool(_notices(HELD, consentId=artefact))


def wake(*, artefact: str = "", request: str = "") -> None:
    """What such notices spoke of has come: they are worked on now."""
    about = {"consentRequestId": request} if request else {"consentId": artefact}
    for one in _notices(ASKED_FOR if request else HELD, **about):
        AbdmMessage.objects.filter(pk=one.pk).update(tries=0, due_at=timezone.now())


def _notices(kind: str, **about: str) -> list[AbdmMessage]:
    """Of an end, not worked on yet."""
    undone = AbdmMessage.objects.filter(direction=IN, kind=kind, done_at=None)
    rows = undone.filter(**{f"body__notification__{name}": it for name, it in about.items()})
    return [one for one in rows if _is_end(one.body["notification"], kind)]


def _is_end(notice: Any, kind: str) -> bool:
    """Where we hold the records, whatever is not a grant ends it."""
    status = notice.get("status") if isinstance(notice, dict) else None
    if not isinstance(status, str):
        return False
    return status.upper() != "GRANTED" if kind == HELD else status.upper() in ENDS


def _artefacts(notice: dict[str, Any]) -> list[str]:
    named = notice.get("consentArtefacts")
    rows = (
        [one.get("id") for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    )
    return [one for one in rows if isinstance(one, str)]
