"""Settings of a household with a fault that occurs only in the background server, after its preparation.

LLAMORA_TEST_FAULT is `error`, or `wait` for one that never becomes ready.
"""

import os
import time
from collections.abc import Iterator

from tests.served_settings import *  # noqa: F403

MARKER = "what somebody wrote"


class FaultyHosts(list[str]):
    """Names of hosts whose iteration fails."""

    def __iter__(self) -> Iterator[str]:
        if os.environ["LLAMORA_TEST_FAULT"] == "wait":
            time.sleep(600)
        raise ValueError(MARKER)


ALLOWED_HOSTS = FaultyHosts()
