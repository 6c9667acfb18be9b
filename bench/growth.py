"""`python -m bench.growth`: the hot questions at a million rows each, with PostgreSQL's plans and sizes.

Needs DATABASE_URL of a server on which it may make a database; `make growth` starts one.
"""

import os
import sys

import django
from django.utils.module_loading import import_string

from bench.services import CannotStart, running_site


def main() -> int:
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    try:
        with running_site() as site:
            os.environ.update(site.environment)
            django.setup()
            import_string("bench.rows.tables")()
            for line in import_string("bench.plans.report")(how_many):
                print(line, flush=True)
    except CannotStart as error:
        print(f"growth: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
