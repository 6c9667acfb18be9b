"""The site's own sockets without the pause between two readings of a line: what they can do at most."""

from esanjeevani.asgi import application
from queues import board

board.SHORTEST_REST = board.LONGEST_REST = 0.0

__all__ = ["application"]
