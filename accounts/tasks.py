"""Thin shells: fetch, call one action, may run twice."""

from celery import shared_task

from accounts import actions


@shared_task(name="accounts.deliver")
def deliver(message_id: int) -> None:
    actions.deliver(message_id)


@shared_task(name="accounts.sweep_messages")
def sweep_messages() -> None:
    actions.sweep_messages()


@shared_task(name="accounts.sweep_old")
def sweep_old() -> None:
    actions.sweep_old()
