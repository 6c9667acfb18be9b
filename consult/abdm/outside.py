"""Addresses that others name: records go to the open net, never into our own."""

import ipaddress
import socket
from typing import Any

import httpx


class NotOutside(Exception):
    """No address of the open net that may be spoken to."""


class NotThere(Exception):
    """Its name is not known now."""


def pinned(url: str) -> dict[str, Any]:
    """How httpx is to ask it: at the very address that was looked at, so that the name cannot come to
    mean another one in between. Raises NotOutside, NotThere.
    """
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        raise NotOutside("The address for the records is none.") from None
    if asked.scheme != "https" or asked.userinfo or not asked.host:
        raise NotOutside("The address for the records is not a plain https one.")
    found = _numbers(asked.host, asked.port or 443)
    if not all(map(_is_open, found)):
        raise NotOutside("The address for the records is not of the open net.")
    return {
        "url": str(asked.copy_with(host=found[0])),
        "headers": {"Host": asked.netloc.decode()},
        # The certificate must be the name's, though the number is asked.
        "extensions": {"sni_hostname": asked.raw_host.decode()},
    }


def _numbers(host: str, port: int) -> list[str]:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotThere(f"{host} is not known.") from None
    return [str(row[4][0]) for row in rows]


def _is_open(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast
