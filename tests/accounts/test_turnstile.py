"""A few at a time at the door; whoever waits for something steps aside."""

import threading
import time

from accounts.throttling.concurrency_limit import ConcurrencyLimit


def crowd(turnstile: ConcurrencyLimit, *, steps_aside: bool) -> int:
    """Send twenty through, each with a while of waiting; return how many were inside at once."""
    guard, inside, most = threading.Lock(), [0], [0]

    def count(change: int) -> None:
        with guard:
            inside[0] += change
            most[0] = max(most[0], inside[0])

    def goes() -> None:
        with turnstile.acquire():
            count(+1)
            if steps_aside:
                count(-1)
                with turnstile.release_while_waiting():
                    time.sleep(0.05)
                count(+1)
            else:
                time.sleep(0.005)
            count(-1)

    threads = [threading.Thread(target=goes) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return most[0]


def test_no_more_than_its_places_are_inside() -> None:
    assert crowd(ConcurrencyLimit(places=2), steps_aside=False) == 2


def test_those_who_wait_keep_nobody_waiting() -> None:
    began = time.monotonic()

    most = crowd(ConcurrencyLimit(places=2), steps_aside=True)

    assert most <= 2
    # One after the other, two at a time, it would take half a second.
    assert time.monotonic() - began < 0.4


def test_stepping_aside_without_a_place_changes_nothing() -> None:
    turnstile = ConcurrencyLimit(places=1)

    with turnstile.release_while_waiting(), turnstile.release_while_waiting():
        pass

    assert crowd(turnstile, steps_aside=False) == 1


def test_a_place_is_given_back_after_a_failure() -> None:
    turnstile = ConcurrencyLimit(places=1)
    for _ in range(3):
        try:
            with turnstile.acquire(), turnstile.release_while_waiting():
                raise ValueError
        except ValueError:
            pass

    assert crowd(turnstile, steps_aside=False) == 1
