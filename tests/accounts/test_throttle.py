"""Tests of throttling: delays grow and expire, and nobody can lock out another person."""

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.errors import DerivationQueueFull, TooManyAttempts
from accounts.keys import key_slots
from accounts.throttling import device_cookie
from accounts.throttling.client_ip import get_client_ip
from accounts.throttling.throttle import (
    ADDRESS,
    MAX_RECORDS,
    NAME,
    PAIR,
    PATIENCE,
    STRENGTH_METER,
    Throttle,
    ThrottleRule,
)
from tests.accounts.conftest import CountingQueue
from tests.accounts.pages import list_errors
from tests.people import ELSEWHERE, HERE, PASSWORD, Resident


class Clock:
    """A clock that advances only by `sleep` or when a test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("accounts.throttling.throttle.time", clock)
    return clock


def fail(throttle: Throttle, *, name: str = "Olive", address: str = HERE, times: int = 1) -> None:
    for _ in range(times):
        with throttle.attempt("sign-in", name=name, address=address) as attempt:
            attempt.fail()


def is_let_in(throttle: Throttle, *, name: str = "Olive", address: str = HERE) -> bool:
    try:
        with throttle.attempt("sign-in", name=name, address=address):
            return True
    except TooManyAttempts:
        return False


def fail_after_delay(throttle: Throttle, clock: Clock) -> float:
    """Wait for the required delay, fail once more, and return the delay."""
    began = clock.now
    while True:
        try:
            fail(throttle)
        except TooManyAttempts as refused:
            clock.now += refused.retry_after
        else:
            return clock.now - began


def test_delays_grow_up_to_half_a_minute(clock: Clock) -> None:
    throttle = Throttle()

    delays = [fail_after_delay(throttle, clock) for _ in range(PAIR.free + 9)]

    assert delays[: PAIR.free] == [0] * PAIR.free
    grown = delays[PAIR.free :]
    assert grown == sorted(grown)
    assert grown[:3] == pytest.approx([0.2, 0.4, 0.8])
    assert grown[-1] == pytest.approx(PAIR.longest)


def test_a_right_password_ends_the_delay_of_its_name_here(clock: Clock) -> None:
    throttle = Throttle()
    fail(throttle, times=PAIR.free)

    with throttle.attempt("sign-in", name="Olive", address=HERE) as attempt:
        attempt.succeed()

    began = clock.now
    fail(throttle, times=PAIR.free - 2)
    assert clock.now == began


def test_failures_are_forgotten_in_time(clock: Clock) -> None:
    throttle = Throttle()
    for _ in range(PAIR.free + 6):
        fail_after_delay(throttle, clock)
    assert not is_let_in(throttle)

    clock.now += PAIR.forget + 1

    assert is_let_in(throttle)


def test_a_name_is_counted_however_it_is_typed(clock: Clock) -> None:
    throttle = Throttle()
    for name in ["olive", "OLIVE", "O\u200blive", " olive "] * 3:
        try:
            fail(throttle, name=name)
        except TooManyAttempts as refused:
            clock.now += refused.retry_after

    assert clock.now > 1000


def test_an_address_that_did_not_fail_is_let_through_at_once(clock: Clock) -> None:
    throttle = Throttle()
    for n in range(200):
        try:
            fail(throttle, address=f"203.0.113.{n}")
        except TooManyAttempts as refused:
            clock.now += refused.retry_after
    began = clock.now

    assert is_let_in(throttle, address=ELSEWHERE)
    assert clock.now == began


def test_many_addresses_at_one_name_are_slowed_once_they_fail_themselves(clock: Clock) -> None:
    throttle = Throttle()
    for n in range(NAME.free + 6):
        fail(throttle, address=f"203.0.113.{n}")

    assert not is_let_in(throttle, address="203.0.113.1")
    with pytest.raises(TooManyAttempts) as refused:
        fail(throttle, address="203.0.113.2")
    assert refused.value.retry_after <= NAME.longest


def test_one_address_trying_many_names_is_slowed_but_by_seconds_only(clock: Clock) -> None:
    throttle, longest = Throttle(), 0.0
    for n in range(60):
        try:
            fail(throttle, name=f"name {n}")
        except TooManyAttempts as refused:
            longest = max(longest, refused.retry_after)
            clock.now += refused.retry_after

    assert 0 < longest <= ADDRESS.longest
    assert clock.now - 1000 > ADDRESS.longest


def test_a_try_that_was_not_wrong_is_taken_back(clock: Clock) -> None:
    throttle = Throttle()

    for _ in range(100):
        assert is_let_in(throttle)

    assert len(throttle) == 0
    assert clock.now == 1000


def test_tries_under_way_count_before_they_are_answered(clock: Clock) -> None:
    throttle = Throttle()
    under_way = [throttle.attempt("sign-in", name="Olive", address=HERE) for _ in range(PAIR.free + 5)]

    let_in, refused = 0, 0
    for attempt in under_way:
        try:
            attempt.__enter__()
            let_in += 1
        except TooManyAttempts:
            refused += 1

    assert let_in < PAIR.free + 5
    assert refused > 0


def test_its_size_is_bounded(clock: Clock) -> None:
    throttle = Throttle()

    for n in range(MAX_RECORDS):
        fail(throttle, name=f"n{n}", address=f"a{n}")

    assert len(throttle) == MAX_RECORDS


def test_kinds_are_counted_apart(clock: Clock) -> None:
    throttle = Throttle()
    for _ in range(PAIR.free + 6):
        fail_after_delay(throttle, clock)

    with throttle.attempt("recover", name="Olive", address=HERE):
        pass


@pytest.mark.parametrize("rule", [PAIR, ADDRESS, NAME, STRENGTH_METER])
def test_no_delay_overflows(rule: ThrottleRule) -> None:
    assert rule.delay(10**6) == rule.longest


def test_one_request_per_address_waits_a_short_delay_out_and_the_others_are_told(clock: Clock) -> None:
    throttle = Throttle()
    for _ in range(PAIR.free + 1):
        fail_after_delay(throttle, clock)
    # 0.4 s remain: shorter than anybody's patience.
    throttle._waiting_addresses.add(HERE)

    assert not is_let_in(throttle)
    throttle._waiting_addresses.clear()
    assert is_let_in(throttle)
    assert clock.now - 1000 < PATIENCE + 1


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_addresses_are_counted_by_who_can_change_them(rf: Any, said: str, counted: str) -> None:
    assert get_client_ip(rf.get("/", REMOTE_ADDR=said)) == counted


# --- Who has asked in vain, which decides who goes first where there is no room for all ------------


def test_attempts_that_failed_or_were_refused_are_unsuccessful_and_others_are_not(clock: Clock) -> None:
    throttle = Throttle()
    fail(throttle, times=2)
    fail(throttle, name="Somebody else")
    with pytest.raises(DerivationQueueFull), throttle.attempt("sign-in", name="Olive", address=HERE):
        raise DerivationQueueFull(1.0)
    with throttle.attempt("sign-in", name="Olive", address=HERE) as attempt:
        attempt.succeed()
    with throttle.attempt("strength", address=HERE, address_rule=STRENGTH_METER) as typed:
        typed.fail()

    assert throttle.count_unsuccessful(HERE) == 4
    assert throttle.count_unsuccessful(ELSEWHERE) == 0
    clock.now += 1000
    assert throttle.count_unsuccessful(HERE) == 0


def test_an_attempt_is_told_how_many_before_it_were_unsuccessful(clock: Clock) -> None:
    throttle = Throttle()
    fail(throttle, times=3)

    with throttle.attempt("recover", name="Olive", address=HERE) as attempt:
        assert attempt.unsuccessful == 3
        assert throttle.count_unsuccessful(HERE) == 4, "one in progress counts, for all that come after it"


def test_unsuccessful_attempts_are_remembered_of_a_limited_number_of_addresses(clock: Clock) -> None:
    throttle = Throttle()
    for n in range(MAX_RECORDS + 10):
        fail(throttle, name="", address=f"a{n}")

    assert len(throttle._unsuccessful) == MAX_RECORDS


@pytest.fixture
def askers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Who has asked for each derivation."""
    asked: list[dict[str, Any]] = []
    derive = key_slots.derivation_queue.derive

    def note(**asker: Any) -> bytes:
        asked.append(asker)
        return derive(**asker)

    monkeypatch.setattr(key_slots.derivation_queue, "derive", note)
    return asked


def test_derivations_of_an_address_that_failed_say_so(owner: Resident, askers: list[dict[str, Any]]) -> None:
    for address in ("2001:db8:1:2::1", "2001:db8:1:2::2", "192.0.2.9"):
        post_sign_in("/sign-in/", {"name": "nobody", "password": "wrong again"}, address=address)

    assert [asker["address"] for asker in askers] == ["2001:db8:1:2::/64"] * 2 + ["192.0.2.9"]
    assert [asker["failures"] for asker in askers] == [0, 1, 0]
    assert not any(asker["is_recognised"] for asker in askers)


def test_places_are_kept_for_unlocks_and_for_browsers_that_signed_in_before(
    owner: Resident, askers: list[dict[str, Any]]
) -> None:
    owner.lock()
    owner.post("/unlock/", password=PASSWORD)
    owner.sign_in(keep=True).post("/sign-out/")
    owner.post("/sign-in/", name="olive ähre", password="wrong")

    unlock, known = askers[0], askers[-1]
    assert (unlock["is_recognised"], known["is_recognised"]) == (True, True)
    assert "127.0.0.1" not in (unlock["address"], known["address"])


# --- Through the pages --------------------------------------------------------------------------


def post_sign_in(path: str, fields: dict[str, str], *, address: str = HERE) -> Any:
    return Client(REMOTE_ADDR=address).post(path, fields)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-in/", {"name": "olive ähre", "password": "wrong again"}),
        ("/register/", {"token": "wrong", "name": "x"}),
        (
            "/recover/",
            {
                "name": "olive ähre",
                "password": "many wrong codes here",
                "password_again": "many wrong codes here",
            },
        ),
        ("/strength/", {"password": "typing", "name": "x"}),
    ],
)
def test_every_form_slows_down_and_says_when_to_try_again(
    owner: Resident, housemate: Resident, clock: Clock, path: str, fields: dict[str, str]
) -> None:
    fields = {**fields, "code": housemate.recovery_code} if path == "/recover/" else fields

    answers = [post_sign_in(path, fields) for _ in range(STRENGTH_METER.free + 20)]

    slowed = [answer for answer in answers if answer.status_code == 429]
    assert slowed
    assert all(int(answer["Retry-After"]) >= 1 for answer in slowed)
    assert "try again" in slowed[-1].content.decode()


def test_unlocking_is_slowed_too(owner: Resident, clock: Clock) -> None:
    owner.lock()

    answers = [owner.post("/unlock/", password="wrong again") for _ in range(20)]

    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert "try again" in list_errors(answers[-1])[0]


def test_failures_to_sign_in_do_not_slow_the_unlocking_of_somebody_signed_in(
    owner: Resident, clock: Clock
) -> None:
    owner.lock()
    for _ in range(40):
        post_sign_in("/sign-in/", {"name": "olive ähre", "password": "wrong again"}, address="127.0.0.1")
    began = clock.now

    answer = owner.post("/unlock/", password=PASSWORD)

    assert answer.status_code == 302
    assert clock.now == began


def fail_from_one_address(name: str, *, times: int = 60) -> Client:
    """Fail to sign in from a new browser at the shared address."""
    guesser = Client(REMOTE_ADDR="127.0.0.1")
    for _ in range(times):
        guesser.post("/sign-in/", {"name": name, "password": "wrong again"})
    return guesser


@pytest.mark.parametrize("tried", ["olive ähre", "nobody at all"])
def test_a_housemate_at_the_same_address_keeps_nobody_out_of_their_own_browser(
    owner: Resident, clock: Clock, tried: str
) -> None:
    owner.sign_in(keep=True).post("/sign-out/")
    guesser = fail_from_one_address(tried)
    began = clock.now

    owner.sign_in()

    assert clock.now == began
    assert guesser.post("/sign-in/", {"name": tried, "password": "wrong again"}).status_code == 429


def test_a_browser_that_does_not_stay_signed_in_gets_no_device_cookie(owner: Resident) -> None:
    assert device_cookie.COOKIE_NAME not in owner.client.cookies


def test_a_recognised_browser_is_slowed_by_its_own_failures(owner: Resident, clock: Clock) -> None:
    owner.sign_in(keep=True).post("/sign-out/")

    answers = [owner.post("/sign-in/", name="olive ähre", password="wrong again") for _ in range(20)]

    assert answers[-1].status_code == 429


@pytest.mark.parametrize("value", ["", ".", "a.b", "nonce.é", "0" * 32 + "." + "0" * 64])
def test_a_device_cookie_is_valid_for_one_person_and_only_if_we_made_it(
    owner: Resident, housemate: Resident, clock: Clock, value: str
) -> None:
    own_cookie = owner.sign_in(keep=True).client.cookies[device_cookie.COOKIE_NAME].value
    guesser = fail_from_one_address("humphrey", times=1)
    for shown in (own_cookie, value):
        guesser.cookies[device_cookie.COOKIE_NAME] = shown
        statuses = [
            guesser.post("/sign-in/", {"name": "humphrey", "password": "wrong again"}).status_code
            for _ in range(20)
        ]
        assert statuses[-1] == 429

    assert device_cookie.get_throttle_key(own_cookie, person_id=owner.id)
    assert not device_cookie.get_throttle_key(own_cookie, person_id=housemate.id)
    assert owner.id.hex not in own_cookie


def test_what_is_too_soon_is_not_derived(owner: Resident, clock: Clock, derivations: CountingQueue) -> None:
    answers = [
        post_sign_in("/sign-in/", {"name": "olive ähre", "password": "wrong again"}) for _ in range(40)
    ]

    tried = [answer for answer in answers if answer.status_code == 422]
    assert len(derivations.costs) == len(tried) < 20


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_with_wrong_passwords_keep_nobody_out(
    owner: Resident, housemate: Resident, settings: Any
) -> None:
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME = 8192, 2
    statuses: list[int] = []

    def try_one(n: int) -> None:
        name = "olive ähre" if n % 2 else f"nobody {n}"
        statuses.append(
            post_sign_in("/sign-in/", {"name": name, "password": "wrong all the same"}).status_code
        )
        connection.close()

    threads = [threading.Thread(target=try_one, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    pages = [_measure_sign_in(housemate) for _ in range(5)]
    for thread in threads:
        thread.join()
    # The owner's own browser: the one that guessed is made to wait, whatever it says next.
    right = post_sign_in("/sign-in/", {"name": "olive ähre", "password": PASSWORD}, address="192.0.2.77")

    assert set(statuses) <= {422, 429}
    assert statuses.count(429) > 0
    assert right.status_code == 302
    # Fifty derivations one after the other would take longer than any page may.
    assert max(pages) < 10


def _measure_sign_in(who: Resident) -> float:
    began = time.monotonic()
    assert who.is_unlocked()
    return time.monotonic() - began
