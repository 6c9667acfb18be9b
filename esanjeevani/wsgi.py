"""Pages and API: `granian --interface wsgi esanjeevani.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "esanjeevani.settings")
application = get_wsgi_application()

# The models are there only after the line above.
from esanjeevani.flat import read_all  # noqa: E402
from esanjeevani.memory import settle  # noqa: E402

read_all()
settle()
