"""Pages and API: `granian --interface wsgi esanjeevani.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
application = get_wsgi_application()

# The models are there only after the line above.
from django.conf import settings  # noqa: E402
from django.core.cache import close_caches  # noqa: E402
from django.core.signals import request_finished, request_started  # noqa: E402
from django.db import reset_queries  # noqa: E402

from esanjeevani.memory import settle  # noqa: E402
from esanjeevani.rendering.flat import read_all  # noqa: E402

request_finished.disconnect(close_caches)  # ours is a dictionary of this process
if not settings.DEBUG:  # in which alone the queries of a request are kept
    request_started.disconnect(reset_queries)
read_all()
settle()
