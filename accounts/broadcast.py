"""Messages to all open pages of one account."""

from functools import partial

from django.db import transaction

from esanjeevani.live import hub


def account_topic(user_id: int) -> str:
    return f"account.{user_id}"


def signed_out(user: object) -> None:
    """After the commit the sockets of this account look whether they may stay open, and close if not."""
    topic = account_topic(user.pk)  # type: ignore[attr-defined]
    transaction.on_commit(partial(hub.publish, topic, type="signed_out"))
