"""M1, scan and share: a patient scans a health centre's square code and their ABHA app sends who they are.

They stand in the desk's list of the day under the number that their app shows. Source: ABDM, "HIE-CM
Profile Share" 3.0.
"""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.actions import enrol, record
from accounts.identifiers import check_abha_address
from accounts.models import Facility, Patient, State, User
from accounts.phone import normalise
from consult.abdm.linking import SEXES
from consult.abdm.messages import Malformed, at, send, text_at
from consult.broadcast import desk_changed
from consult.models import SharedProfile

NO_SUCH_PLACE = {"code": "ABDM-1035", "message": "Invalid HIP ID"}
NO_SUCH_INTENT = {"code": "ABDM-1149", "message": "Intent type is not supported at HIP end"}
NO_PROFILE = {"code": "ABDM-1102", "message": "Profile information cannot be null"}
COUNTER = "1"
YEARS = range(1900, 2200)


class Taken(Exception):
    """Somebody has registered this person from the list already."""


def share_address(facility: Facility) -> str:
    """What the square code at this health centre says; "" without an HFR id."""
    if not facility.hfr_id:
        return ""
    asked = urlencode({"hip-id": facility.hfr_id, "counter-id": COUNTER})
    return f"{settings.ABDM['share_url']}?{asked}"


def on_share(body: dict[str, Any], request_id: str) -> None:
    """A number for today, told to the patient's app."""
    intent, hip_id = text_at(body, "intent"), text_at(body, "metaData.hipId")
    answer: dict[str, Any] = {"response": {"requestId": request_id}}
    # The row is locked: of two people at once the second gets the next number.
    # Where two places bear one HFR id by mistake, neither is told who somebody is.
    places = list(Facility.objects.select_for_update().filter(hfr_id=hip_id)[:2])
    facility = places[0] if len(places) == 1 else None
    try:
        if intent != "PROFILE_SHARE":
            answer["error"] = NO_SUCH_INTENT
        elif facility is None:
            answer["error"] = NO_SUCH_PLACE
        else:
            context = str(at(body, "metaData").get("context") or "")[:40]
            entry = _entered(facility, context, _profile(at(body, "profile.patient")))
            answer["acknowledgement"] = _acknowledged(entry)
    except Malformed:
        answer["error"] = NO_PROFILE
    send("on-share", "/api/hiecm/patient-share/v3/on-share", answer)


def _entered(facility: Facility, counter: str, profile: dict[str, Any]) -> SharedProfile:
    today = SharedProfile.objects.filter(facility=facility, day=timezone.localdate())
    if entry := today.filter(abha_address=profile["abha_address"]).first():
        return entry
    last = today.order_by("-number").values_list("number", flat=True).first() or 0
    entry = SharedProfile.objects.create(
        facility=facility, day=timezone.localdate(), number=last + 1, counter=counter, **profile
    )
    record("abdm.share", entry, by=None)
    desk_changed(facility.pk)
    return entry


def _acknowledged(entry: SharedProfile) -> dict[str, Any]:
    midnight = datetime.combine(entry.day + timedelta(days=1), time(0))
    left = timezone.make_aware(midnight) - timezone.now()
    return {
        "status": "SUCCESS",
        "abhaAddress": entry.abha_address,
        "profile": {
            "context": entry.counter or COUNTER,
            "tokenNumber": str(entry.number),
            "expiry": max(1, int(left.total_seconds())),
        },
    }


def _profile(said: Any) -> dict[str, Any]:
    """The fields of a SharedProfile. Raises Malformed without address, name or year of birth."""
    address = text_at(said, "abhaAddress").lower()
    try:
        check_abha_address(address)
    except ValidationError:
        raise Malformed("abhaAddress") from None
    born, is_exact = _born(said)
    lives = said.get("address") if isinstance(said.get("address"), dict) else {}
    parts = [lives.get(one) for one in ("line", "district", "pincode", "pinCode")]
    return {
        "abha_address": address,
        "abha_number": _digits(said.get("abhaNumber"))[:14],
        "name": " ".join(text_at(said, "name").split())[:120],
        "sex": SEXES.get(str(said.get("gender")), Patient.Sex.OTHER),
        "birth_date": born,
        "birth_date_is_exact": is_exact,
        "phone": _phone(said.get("phoneNumber")),
        "address": ", ".join(str(one) for one in parts if one)[:200],
        "state": State.objects.filter(name__iexact=str(lives.get("state") or "")).first(),
    }


def _born(said: dict[str, Any]) -> tuple[date, bool]:
    """The date, and whether it is exact: many people know the year alone."""
    year, month, day = (_digits(said.get(f"{one}OfBirth")) for one in ("year", "month", "day"))
    if not year or int(year[:5]) not in YEARS:
        raise Malformed("yearOfBirth")
    try:
        exact = date(int(year), int(month or 0), int(day or 0))
        return (exact, True) if exact <= timezone.localdate() else (_guess(year), False)
    except ValueError:
        return _guess(year), False


def _guess(year: str) -> date:
    guess = date(int(year), 7, 1)
    if guess.year > timezone.localdate().year:
        raise Malformed("yearOfBirth")
    return min(guess, timezone.localdate())


def _digits(said: Any) -> str:
    return "".join(char for char in str(said or "") if char in "0123456789")


def _phone(said: Any) -> str:
    try:
        return normalise(str(said or ""))
    except ValidationError:
        return ""


def waiting_at(facility: Facility) -> "QuerySet[SharedProfile]":
    """Who scanned the code today and is not registered yet."""
    today = SharedProfile.objects.filter(facility=facility, day=timezone.localdate())
    return today.filter(taken_at=None).order_by("number")


def with_known(entries: "QuerySet[SharedProfile]") -> "QuerySet[SharedProfile]":
    """Each with `is_known`: whether known_as() finds somebody."""
    verified = Patient.objects.filter(abha_verified_at__isnull=False)
    known = Exists(verified.filter(abha_address__iexact=OuterRef("abha_address")))
    return entries.annotate(is_known=known)


def known_as(entry: SharedProfile) -> Patient | None:
    """The patient whose ABHA this is, by the gateway's word: then nothing has to be typed."""
    verified = Patient.objects.filter(abha_verified_at__isnull=False).select_related("account")
    return verified.filter(abha_address__iexact=entry.abha_address).order_by("pk").first()


@transaction.atomic
def take(*, entry: SharedProfile, patient: Patient, by: User) -> None:
    """This is the patient who scanned the code: enrolled here. Raises Taken.

    Their ABHA is theirs by the gateway's word, if sex and year of birth are those of the profile and
    no other ABHA is known as theirs.
    """
    taken = SharedProfile.objects.filter(pk=entry.pk, taken_at=None)
    if not taken.update(taken_at=timezone.now(), taken_by=by, patient=patient):
        raise Taken
    desk_changed(entry.facility_id)
    enrol(patient=patient, facility=entry.facility, by=by)
    years_apart = abs(entry.birth_date.year - patient.birth_date.year)
    exact = patient.birth_date_is_exact and entry.birth_date_is_exact
    if patient.abha_is_verified or entry.sex != patient.sex or years_apart > (0 if exact else 2):
        return
    patient.abha_address, patient.abha_verified_at = entry.abha_address, timezone.now()
    patient.abha_number = entry.abha_number or patient.abha_number
    patient.save(update_fields=["abha_address", "abha_number", "abha_verified_at"])
    record("abha.verify", patient, by=by, patient=patient)


def forget_unclaimed() -> None:
    """Who scanned a code on an earlier day and did not come to the desk is not kept."""
    SharedProfile.objects.filter(day__lt=timezone.localdate(), taken_at=None).delete()
