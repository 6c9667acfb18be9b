"""Messages of the talk as JSON, for the pages' scripts, sockets and programs."""

from rest_framework import serializers

from accounts.api.reading import Input
from consult.models import Attachment, ChatMessage


class MessageInput(Input):
    """One message."""

    client_id = serializers.UUIDField(help_text="Made by the client: sent twice it is kept once.")
    text = serializers.CharField(max_length=ChatMessage.MAX_TEXT, help_text="Plain text.")


class MessageFileOutput(serializers.Serializer[Attachment]):
    """A file that came with a message."""

    uid = serializers.UUIDField(help_text="Id of the file, to fetch it.")
    name = serializers.CharField(help_text="As the sender called it.")
    is_image = serializers.BooleanField(help_text="A photo; else a PDF.")


class MessageOutput(serializers.Serializer[ChatMessage]):
    """One message of a consultation, as who asks sees it."""

    # The context holds the `user` who reads and the `patient`, by whose name an account is called
    # that has none.

    id = serializers.IntegerField(help_text="Number of the message; ask for later ones by `after`.")
    client_id = serializers.UUIDField(help_text="As the writer's client made it.")
    mine = serializers.SerializerMethodField(help_text="Written by the account that asks.")
    author = serializers.SerializerMethodField(help_text="Name of who wrote it.")
    text = serializers.CharField(help_text="Plain text; may be empty beside a file.")
    at = serializers.DateTimeField(source="created_at", help_text="When it was written.")
    file = MessageFileOutput(
        source="attachment", allow_null=True, help_text="What came with it; null for words alone."
    )

    def get_mine(self, message: ChatMessage) -> bool:
        return bool(message.author_id == self.context["user"].pk)

    def get_author(self, message: ChatMessage) -> str:
        return message.author.name or str(self.context["patient"].name)
