"""Messages to all open pages of one account."""

from esanjeevani import live


def account_topic(user_id: int) -> str:
    return f"account.{user_id}"


def signed_out(user: object) -> None:
    """The sockets of this account close; pages of sessions that are still valid connect again."""
    live.publish(account_topic(user.pk), type="signed_out")  # type: ignore[attr-defined]
