"""How Python looks for garbage in a process that serves people."""

import gc
from importlib import import_module

from django.conf import settings

# Objects that are made between two looks; Python's own 700 means several looks at each page.
BETWEEN_LOOKS = 10_000


def settle() -> None:
    """Once the application is loaded: what it is made of stays, so nobody looks through it again."""
    import_module(settings.ROOT_URLCONF)  # and all views, which else come with the first request
    gc.collect()
    gc.freeze()
    gc.set_threshold(BETWEEN_LOOKS, *gc.get_threshold()[1:])
