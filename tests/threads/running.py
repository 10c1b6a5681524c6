"""Calls in threads of their own."""

import threading
import time
from collections.abc import Callable


def run_in_threads(*acts: Callable[[], None], apart: float = 0.03) -> None:
    """Start each a moment after the one before, and wait for all."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
        time.sleep(apart)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
