"""The servers that help two browsers to find each other, with credentials for one consultation.

coturn's REST credentials: the user name is `<unix expiry>:<opaque id>`, the password
base64(HMAC-SHA1(secret, user name)). The id names nobody; coturn counts its quota by it.
"""

import base64
import hashlib
import hmac
import time
from typing import Any

from django.conf import settings

from accounts.secrets import keyed_hash
from consult.models import Consultation
from consult.people import Role


def ice_configuration(consultation: Consultation, role: Role) -> dict[str, Any]:
    """As RTCPeerConnection takes it. Without servers calls are direct; with TURN_ONLY never."""
    stun = [url for url in settings.TURN_URLS if url.startswith("stun")]
    turn = [url for url in settings.TURN_URLS if url.startswith("turn")]
    servers: list[dict[str, Any]] = [{"urls": stun}] if stun else []
    if turn:
        opaque = keyed_hash("turn", f"{consultation.uid}:{role}")[:20]
        servers.append({"urls": turn, **credentials(opaque)})
    policy = "relay" if settings.TURN_ONLY else "all"
    return {"iceServers": servers, "iceTransportPolicy": policy}


def credentials(opaque: str) -> dict[str, str]:
    """Good for TURN_SECONDS from now: coturn lets nobody in with them afterwards."""
    username = f"{int(time.time()) + settings.TURN_SECONDS}:{opaque}"
    digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
    return {"username": username, "credential": base64.b64encode(digest).decode()}
