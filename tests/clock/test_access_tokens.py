"""Tests that access tokens expire by elapsed time, whatever the clock says, and stay expired."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts.errors import InvalidToken
from accounts.models import AccessToken
from diary.inbox.boxes import store_box
from diary.inbox.inbox_text import InboxText
from diary.models import InboxItem
from llamora.clock import services
from llamora.crypto import TokenKind
from tests import tokens
from tests.clock.test_services import DAY, Clocks, clocks, olive
from tests.diary.late_drafts import send_unlocked
from tests.people import Resident
from tests.tokens import use_token

__all__ = ["clocks", "olive"]


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


def make_drop(who: Resident, *, days: int) -> str:
    # Without a password, as the person of these tests is.
    from accounts.tokens.services import create_token

    request = tokens.build_request(TokenKind.DROP, lifetime_days=days)
    return create_token(who.keyring, request)


def run_for(clocks: Clocks, days: int) -> None:
    for _ in range(days):
        clocks.wait(DAY)
        services.observe()


def test_a_token_expires_after_its_days_and_not_before(olive: Resident, clocks: Clocks) -> None:
    text = make_drop(olive, days=30)

    run_for(clocks, 29)
    use_token(text)
    run_for(clocks, 2)
    with pytest.raises(InvalidToken):
        use_token(text)


def test_a_clock_that_jumps_ahead_expires_nothing_early(olive: Resident, clocks: Clocks) -> None:
    text = make_drop(olive, days=30)
    run_for(clocks, 1)

    clocks.set_by(60 * DAY)
    services.observe()
    run_for(clocks, 3)

    use_token(text)


def test_a_clock_that_is_set_back_revives_nothing(olive: Resident, clocks: Clocks) -> None:
    text = make_drop(olive, days=30)
    run_for(clocks, 31)
    with pytest.raises(InvalidToken):
        use_token(text)

    clocks.set_by(-25 * DAY)
    services.observe()
    tokens.forget_process()

    with pytest.raises(InvalidToken):
        use_token(text)


def test_a_text_that_is_sent_after_a_year_arrives(olive: Resident, clocks: Clocks) -> None:
    text = make_drop(olive, days=0)
    olive.lock()

    run_for(clocks, 366)
    opened = use_token(text)
    assert opened.drop is not None
    store_box(
        owner_id=opened.owner,
        day=olive.today,
        text=InboxText.create("A year later"),
        sender_id=opened.id,
        key=opened.drop,
    )
    send_unlocked(olive)

    with olive.unlocked():
        assert [item.body["text"] for item in InboxItem.objects.all()] == ["A year later"]


def check_refused(text: str) -> None:
    # As the next process does, and the next minute of this one.
    tokens.forget_process()
    with pytest.raises(InvalidToken):
        use_token(text)


@pytest.mark.parametrize("step", [-400 * DAY, -31 * DAY, -DAY, DAY, 60 * DAY, 4000 * DAY])
def test_no_start_of_the_machine_with_another_clock_revives_a_token(
    olive: Resident, clocks: Clocks, step: float
) -> None:
    text = make_drop(olive, days=30)
    run_for(clocks, 31)
    check_refused(text)

    clocks.restart_machine(step)
    services.observe()
    check_refused(text)
    run_for(clocks, 3)
    check_refused(text)


def test_a_start_with_a_clock_that_runs_ahead_expires_nothing_before_it_is_believed(
    olive: Resident, clocks: Clocks
) -> None:
    text = make_drop(olive, days=30)
    run_for(clocks, 1)

    clocks.restart_machine(60 * DAY)
    services.observe()
    tokens.forget_process()

    use_token(text)
    # It was a wrong clock, and is set right.
    clocks.set_by(-60 * DAY)
    services.observe()
    run_for(clocks, 20)
    tokens.forget_process()
    use_token(text)


def test_the_mark_of_an_expired_token_taken_away_on_the_disk_revives_nothing(
    olive: Resident, clocks: Clocks
) -> None:
    text = make_drop(olive, days=30)
    run_for(clocks, 31)
    check_refused(text)

    AccessToken.objects.update(is_expired=False)
    check_refused(text)
    later = AccessToken.objects.get().created_at + timedelta(days=20)
    AccessToken.objects.update(is_expired=False, created_at=later)
    check_refused(text)
    AccessToken.objects.update(is_expired=False, lifetime_days=0)
    check_refused(text)


def test_a_token_without_an_end_has_none_whatever_the_clock_says(olive: Resident, clocks: Clocks) -> None:
    text = make_drop(olive, days=0)

    for step in (4000 * DAY, -8000 * DAY, 60 * DAY):
        clocks.restart_machine(step)
        services.observe()
        run_for(clocks, 3)
        tokens.forget_process()
        use_token(text)
