"""How a process that serves people takes its memory, and how Python looks for garbage in it."""

import ctypes
import gc
from contextlib import suppress
from importlib import import_module

from django.conf import settings

# Objects that are made between two looks; Python's own 700 means several looks at each page. Each tenth
# goes through those that outlived some looks too, and of these each fiftieth through all there is, 10 ms:
# Python's own tenth was 3 % of what a page costs.
BETWEEN_LOOKS = 10_000, 10, 50
ARENA_MAX = -8  # glibc's name for it is M_ARENA_MAX


def settle() -> None:
    """Once the application is loaded: what it is made of stays, so nobody looks through it again."""
    share_one_heap()
    import_module(settings.ROOT_URLCONF)  # and all views, which else come with the first request
    gc.collect()
    gc.freeze()
    gc.set_threshold(*BETWEEN_LOOKS)


def share_one_heap() -> None:
    """Between all threads that are begun from now on.

    A password's hash takes 19 MiB, and glibc keeps them for the next hash of the same thread: after some
    sign-ins each thread held as much. Other systems have no such switch.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)
