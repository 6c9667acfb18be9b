"""Pages whose cost could grow with what lies behind them: `make growth` explains them, too."""

from django.conf import settings
from django.urls import reverse

from bench import rows
from bench.client import Wanted
from bench.operations import Ask, Operation
from bench.prescriptions import in_progress
from consult.models import Consultation


def _session(key: str) -> dict[str, str]:
    return {settings.SESSION_COOKIE_NAME: key}


def _of_served_patients(name: str, how_many: int) -> list[Ask]:
    """By patients who were served: each has a consultation behind them."""
    path = reverse(name)
    served = Consultation.objects.filter(state="completed").select_related("patient__account")
    accounts = [case.patient.account for case in served[:how_many]]
    return [Ask(path, None, _session(key)) for key in rows.sessions(accounts)]


def _home(how_many: int) -> list[Ask]:
    return _of_served_patients("consult:consultations", how_many)


def _of_serving_doctors(name: str, how_many: int) -> list[Ask]:
    """By a doctor who has served a thousand."""
    served = Consultation.objects.filter(state="completed").select_related("doctor__user")
    (key,) = rows.doctors_sessions([case.doctor for case in served[:1] if case.doctor])
    return [Ask(reverse(name), None, _session(key))] * how_many


def _past(how_many: int) -> list[Ask]:
    return _of_serving_doctors("consult:doctors_past", how_many)


def _desk(how_many: int) -> list[Ask]:
    return _of_serving_doctors("consult:desk", how_many)


def _room(how_many: int) -> list[Ask]:
    cases = in_progress(how_many)
    keys = rows.doctors_sessions(case.doctor for case in cases if case.doctor)
    return [
        Ask(reverse("consult:doctors_room", args=[case.uid]), None, _session(key))
        for case, key in zip(cases, keys, strict=True)
    ]


def _centre(how_many: int) -> list[Ask]:
    path = reverse("consult:centre")
    return [Ask(path, None, _session(key)) for _centre, key in rows.health_workers(how_many)]


PAGES = [
    Operation("patient's consultations", Wanted(200), _home),
    Operation("doctor's desk", Wanted(200), _desk),
    Operation("doctor's past consultations", Wanted(200), _past),
    Operation("doctor's room", Wanted(200), _room),
    Operation("centre: the day", Wanted(200), _centre),
]
