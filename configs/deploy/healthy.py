#!/opt/reid-pipeline/bin/python
"""Exit with 0 if the page of a live run says that it is well, else with 1 and why.

The health check of the image: the token is taken from REID_PIPELINE_TOKEN, as `live` does.
"""

import os
import sys
import urllib.error
import urllib.request

URL = os.environ.get("REID_PIPELINE_HEALTH", "http://127.0.0.1:8080/healthz")
TIMEOUT_S = 5


def main() -> int:
    """Ask once; return the exit code."""
    request = urllib.request.Request(URL)
    if token := os.environ.get("REID_PIPELINE_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    # Never through a proxy of the environment: it would learn the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
