from typing import Any

from rest_framework import serializers

from accounts.api.base import Input
from consult.models import ChatMessage


class MessageInput(Input):
    client_id = serializers.UUIDField()
    text = serializers.CharField(max_length=ChatMessage.MAX_TEXT)


class MessageOutput(serializers.Serializer[ChatMessage]):
    """What a page needs to draw one message; `mine` says on which side.

    The context holds the `user` who reads and the `patient`, by whose name an account is called
    that has none.
    """

    id = serializers.IntegerField()
    client_id = serializers.UUIDField()
    mine = serializers.SerializerMethodField()
    author = serializers.SerializerMethodField()
    text = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")
    file = serializers.SerializerMethodField()

    def get_mine(self, message: ChatMessage) -> bool:
        return bool(message.author_id == self.context["user"].pk)

    def get_author(self, message: ChatMessage) -> str:
        return message.author.name or str(self.context["patient"].name)

    def get_file(self, message: ChatMessage) -> dict[str, Any] | None:
        attachment = message.attachment
        if attachment is None:
            return None
        return {
            "uid": str(attachment.uid),
            "name": attachment.name,
            "is_image": attachment.is_image,
        }
