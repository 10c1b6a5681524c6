"""Tests of drafts from locked pages: each is saved, verified at the unlock, and replaces no other text."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.keys import browser_keys
from accounts.models import Vault
from accounts.sessions import services as sessions_services
from accounts.sessions.registry import session_registry
from diary.drafts import late_drafts
from diary.drafts.late_drafts import merge_late_drafts
from diary.models import Draft, LateDraft
from llamora.crypto import derive_browser_key
from tests.clock.records import settle_clock
from tests.diary.late_drafts import (
    copy_rows,
    count_browser_keys,
    find_unchecked_texts,
    get_draft_text,
    open_another_browser,
    put_back,
    send,
    send_unlocked,
    unlock,
)
from tests.people import SESSION, Resident


def test_a_locked_page_hands_in_its_draft_sealed(owner: Resident) -> None:
    owner.lock()

    answer = send(owner, "Typed too late")

    assert answer.status_code == 200
    assert answer.json()["revision"] > 0
    assert b"Typed too late" not in bytes(LateDraft.objects.get().box)
    assert not Draft.objects.exists()


def test_a_late_draft_is_merged_at_the_next_unlock(owner: Resident) -> None:
    typed = send(owner, "Typed").json()
    owner.lock()
    late = send(owner, "Typed too late", revision=typed["revision"]).json()

    unlock(owner)

    assert get_draft_text(owner) == "Typed too late"
    assert Draft.objects.get().revision == late["revision"], "the page that sent it can go on"
    assert not LateDraft.objects.exists()


def test_the_unlock_of_another_browser_folds_it_in_too(owner: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()
    first = send(owner, "Typed").json()

    other.lock()
    unlock(other)

    assert get_draft_text(owner) == "Typed"
    send(owner, "Typed too late", revision=first["revision"])
    unlock(other)
    assert get_draft_text(owner) == "Typed too late"


def test_a_late_draft_never_replaces_another_text(owner: Resident) -> None:
    send(owner, "In the other tab")
    owner.lock()
    send(owner, "In this one")

    unlock(owner)

    assert get_draft_text(owner) == "In the other tab\n\nIn this one"


def test_late_drafts_follow_one_another(owner: Resident) -> None:
    owner.lock()
    first = send(owner, "One").json()
    send(owner, "One two", revision=first["revision"])

    unlock(owner)

    assert get_draft_text(owner) == "One two"


def test_two_hundred_saves_while_locked_make_one_row(owner: Resident) -> None:
    owner.lock()
    revision = 0

    for number in range(200):
        answer = send(owner, f"Line {number}", revision=revision)
        revision = answer.json()["revision"]

    assert LateDraft.objects.count() == 1
    unlock(owner)
    assert get_draft_text(owner) == "Line 199"
    assert Draft.objects.get().revision == revision


def test_two_tabs_of_a_locked_browser_do_not_write_over_one_another(owner: Resident) -> None:
    owner.lock()
    first = send(owner, "In this tab").json()
    other = send(owner, "In the other tab").json()
    send(owner, "In this tab, on and on", revision=first["revision"])

    assert other["revision"] != first["revision"]
    unlock(owner)

    assert sorted(get_draft_text(owner).split("\n\n")) == ["In the other tab", "In this tab, on and on"]


def test_two_browsers_with_drafts_of_one_day_lose_neither(owner: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()
    other.lock()
    first = send(owner, "At the desk").json()
    second = send(other, "On the train").json()
    send(owner, "At the desk, still", revision=first["revision"])
    send(other, "On the train, still", revision=second["revision"])

    assert LateDraft.objects.count() == 2
    unlock(other)

    assert sorted(get_draft_text(owner).split("\n\n")) == ["At the desk, still", "On the train, still"]
    assert not LateDraft.objects.exists()


def test_a_row_has_a_draft_of_an_entry_beside_that_of_its_day(owner: Resident) -> None:
    entry = owner.write("Saved")
    owner.lock()
    send(owner, "Of the day")
    send(owner, "Of the entry", entry=entry.id, based_on=1)

    unlock(owner)

    with owner.unlocked():
        assert {row.entry_id: row.text for row in Draft.objects.all()} == {
            None: "Of the day",
            entry.id: "Of the entry",
        }


def test_a_draft_that_was_emptied_while_locked_is_gone(owner: Resident) -> None:
    typed = send(owner, "Never mind").json()
    owner.lock()
    send(owner, "", revision=typed["revision"])

    unlock(owner)

    assert not Draft.objects.exists()


def test_what_waits_for_an_unlock_is_bounded_for_each_browser(owner: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()
    other.lock()

    answers = [send(owner, f"Late {number}") for number in range(51)]

    assert [answer.status_code for answer in answers] == [200] * 50 + [423]
    assert send(other, "From the other").status_code == 200


def test_after_a_power_cut_the_cookie_is_enough(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is in memory any more, and the run secret is another one.
    session_registry.clear()
    monkeypatch.setattr(sessions_services, "get_run_secret", lambda: bytes(32))
    answer = send(owner, "After the power cut")

    assert answer.status_code == 200
    unlock(owner)
    assert get_draft_text(owner) == "After the power cut"


def test_a_sign_out_elsewhere_leaves_what_was_sent(owner: Resident) -> None:
    other = open_another_browser(owner)
    other.lock()
    send(other, "Sent before the end")
    sessions_services.end_session(sign_in_id=other.get_cookie().sign_in_id, person_id=owner.id)

    owner.lock()
    unlock(owner)

    assert get_draft_text(owner) == "Sent before the end"
    assert count_browser_keys(owner) == 1, "the key of a sign-in that is gone is deleted with its last draft"


def test_an_unlock_that_dies_before_it_folds_loses_nothing(owner: Resident) -> None:
    owner.lock()
    send(owner, "Before the first unlock")
    # The rows of the unlock are written, and nothing after them.
    cookie = sessions_services.unlock_session(sign_in_id=owner.get_cookie().sign_in_id, keyring=owner.keyring)
    owner.client.cookies[SESSION] = cookie.encode()
    owner.lock()

    unlock(owner)

    assert get_draft_text(owner) == "Before the first unlock"
    assert count_browser_keys(owner) == 1


@pytest.mark.parametrize("at", ["_merge", "browser_keys.add_merged_id"])
def test_a_fold_that_dies_is_done_again_whole(owner: Resident, at: str) -> None:
    owner.lock()
    send(owner, "Once")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, owner.unlocked():
        patch.setattr(f"diary.drafts.late_drafts.{at}", die)
        with pytest.raises(KeyboardInterrupt):
            merge_late_drafts(owner.keyring)

    assert LateDraft.objects.count() == 1
    assert not Draft.objects.exists()
    unlock(owner)
    assert get_draft_text(owner) == "Once"


def test_a_save_during_a_fold_is_not_deleted_with_the_text_before(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_another_browser(owner)
    owner.lock()
    first = send(owner, "One").json()
    find = late_drafts._find_genuine_row
    sent: list[int] = []

    def find_and_send(*args: object, **kwargs: object) -> LateDraft | None:
        found = find(*args, **kwargs)  # type: ignore[arg-type]
        if not sent:
            sent.append(send(owner, "One two", revision=first["revision"]).json()["revision"])
        return found

    monkeypatch.setattr(late_drafts, "_find_genuine_row", find_and_send)
    send_unlocked(other)

    assert get_draft_text(owner) == "One two"
    assert Draft.objects.get().revision == sent[0]


def test_what_was_merged_is_not_merged_again(owner: Resident) -> None:
    """Its browser is still locked with the same cookie, so its key is still in use."""
    other = open_another_browser(owner)
    owner.lock()
    send(owner, "Once and no more")
    rows = copy_rows("diary_latedraft")
    send_unlocked(other)
    Draft.objects.all().delete()

    put_back("diary_latedraft", rows)
    send_unlocked(other)

    assert not Draft.objects.exists()
    assert "Once and no more" in find_unchecked_texts(other)


def test_a_row_put_back_with_its_key_is_not_merged_again(owner: Resident) -> None:
    owner.lock()
    send(owner, "Once and no more")
    rows, keys = copy_rows("diary_latedraft"), copy_rows("accounts_browserkey")
    unlock(owner)
    Draft.objects.all().delete()

    put_back("accounts_browserkey", keys)
    put_back("diary_latedraft", rows)
    unlock(owner)

    assert not Draft.objects.exists()


def test_what_was_merged_is_known_for_thirty_days(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    owner.lock()
    send(owner, "An old one")
    late = LateDraft.objects.get()
    unlock(owner)
    assert browser_keys.load_merged_ids(owner.keyring) == {late.id}
    assert late.id.hex.encode() not in bytes(
        Vault.objects.get(owner_id=owner.id).__dict__["folded_drafts"].envelope
    )

    later = timezone.now() + timedelta(days=31)
    monkeypatch.setattr(timezone, "now", lambda: later)
    browser_keys.add_merged_id(owner.keyring, owner.id)
    # The clock says so, but no time has passed.
    assert browser_keys.load_merged_ids(owner.keyring) == {owner.id, late.id}

    settle_clock()
    browser_keys.add_merged_id(owner.keyring, owner.id)

    assert browser_keys.load_merged_ids(owner.keyring) == {owner.id}


def test_keys_of_browsers_do_not_pile_up(owner: Resident) -> None:
    for _ in range(5):
        owner.lock()
        send(owner, "And on")
        unlock(owner)

    assert count_browser_keys(owner) == 1


def test_the_key_of_a_locked_browser_stays(owner: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()

    unlock(other)
    unlock(other)
    send(owner, "Still there")
    unlock(other)

    assert get_draft_text(owner) == "Still there"
    assert count_browser_keys(owner) == 2


def test_a_key_of_a_browser_is_the_one_of_its_cookie(owner: Resident) -> None:
    cookie = owner.get_cookie()

    (key,) = browser_keys.load_browser_keys(owner.keyring)

    assert key.secret == derive_browser_key(cookie.half, sign_in_id=cookie.sign_in_id)
    assert key.secret.hex() not in repr(key)


def test_an_old_cookie_sends_nothing(owner: Resident) -> None:
    before = owner.client.cookies[SESSION].value
    owner.lock()
    unlock(owner)
    owner.lock()
    owner.client.cookies[SESSION] = before

    assert send(owner, "With the old cookie").status_code == 401
    assert not LateDraft.objects.exists()


def test_what_was_merged_is_known_for_as_long_as_a_browser_stays_signed_in(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SIGN_IN_DAYS = 90
    owner.lock()
    send(owner, "An old one")
    late = LateDraft.objects.get()
    unlock(owner)

    later = timezone.now() + timedelta(days=80)
    monkeypatch.setattr(timezone, "now", lambda: later)
    settle_clock()
    browser_keys.add_merged_id(owner.keyring, owner.id)

    assert browser_keys.load_merged_ids(owner.keyring) == {owner.id, late.id}
