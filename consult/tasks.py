"""Thin shells: fetch, call one action, may run twice."""

from celery import shared_task

from consult import actions
from consult.abdm import work
from consult.abdm.work import work_on


@shared_task(name="consult.render")
def render(prescription_id: int) -> None:
    actions.render_prescription(prescription_id)


@shared_task(name="consult.render_small")
def render_small(prescription_id: int) -> None:
    actions.render_small(prescription_id)


@shared_task(name="consult.sweep_prescriptions")
def sweep_prescriptions() -> None:
    actions.sweep_prescriptions()


@shared_task(name="consult.sweep_lines")
def sweep_lines() -> None:
    actions.sweep_lines()


@shared_task(name="consult.abdm")
def abdm(message_id: int) -> None:
    work_on(message_id)


@shared_task(name="consult.sweep_abdm")
def sweep_abdm() -> None:
    work.sweep_abdm()


@shared_task(name="consult.forget_abdm")
def forget_abdm() -> None:
    work.forget_abdm()
