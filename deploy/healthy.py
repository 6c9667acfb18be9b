"""Health check of a container: `healthy.py URL`. Ends with 0 when the answer is 200.

It asks by the site's own name, because Django answers to no other.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit


def main(address: str) -> int:
    url = urlsplit(address)
    site = urlsplit(os.environ.get("SITE_URL", address))
    wire = http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port, timeout=4)
    try:
        wire.request("GET", url.path, headers={"Host": site.netloc})
        status = wire.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"{address}: {error}")
        return 1
    print(f"{address}: {status}")
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
