"""Runs calls in parallel threads."""

import threading
import time
from collections.abc import Callable

from tests.fakes.waiting import PATIENCE


def run_in_threads(*acts: Callable[[], None], apart: float = 0.03) -> None:
    """Start the calls in threads, each a moment after the previous one, and wait for all."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
        time.sleep(apart)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
