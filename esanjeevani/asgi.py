"""Sockets (`/ws/`), and pages too where one process serves both: `daphne esanjeevani.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
pages = get_asgi_application()

# The models are there only after the line above.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from accounts.api.sockets import BearerSockets  # noqa: E402
from accounts.sockets import SessionSockets  # noqa: E402
from consult.routing import websocket_urlpatterns  # noqa: E402
from esanjeevani.memory import settle  # noqa: E402

sockets = URLRouter(websocket_urlpatterns)
application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": BearerSockets(
            programs=sockets,
            pages=OriginValidator(SessionSockets(sockets), settings.SOCKET_ORIGINS),
        ),
    }
)
settle()
