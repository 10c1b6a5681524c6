"""Tests that a rotation replaces the vault's key pair, and merges late drafts first."""

import pytest

from accounts.keys import key_pairs
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from diary.drafts.late_draft_rows import open_text
from diary.drafts.late_drafts import merge_late_drafts, store_late_draft, store_late_note_draft
from diary.drafts.services import SubmittedDraft
from diary.models import Draft, LateDraft
from diary.notes.drafts import SubmittedNoteDraft, find_note_draft
from llamora.crypto import CryptoError, Keyring, in_force
from tests.people import FIRST_DAY, Resident


def send_late_draft(owner: Resident, text: str) -> LateDraft:
    """Send a draft while its owner is locked."""
    sent = SubmittedDraft(owner_id=owner.id, day=FIRST_DAY, text=text, revision=0, entry_id=None)
    store_late_draft(sent, cookie=owner.get_cookie())
    return LateDraft.objects.get(owner_id=owner.id)


def get_draft_text(owner: Resident) -> str:
    keyring = owner.open_keyring()
    with in_force(keyring):
        assert merge_late_drafts(keyring) == 1
        return str(Draft.objects.get(owner_id=owner.id, day=FIRST_DAY).text)


@pytest.fixture
def writer(owner: Resident) -> Resident:
    """The owner, without drafts, in a browser that is signed in."""
    Draft.objects.filter(owner_id=owner.id).delete()
    return owner.sign_in()


def test_a_draft_from_before_is_folded_in_by_the_rotation(writer: Resident) -> None:
    send_late_draft(writer, "Typed before the key was turned.")
    of_note = SubmittedNoteDraft(text="A note of before.", revision=0)
    store_late_note_draft(of_note, owner_id=writer.id, day=FIRST_DAY, cookie=writer.get_cookie())

    rotation_services.resume_rotation(begin_rotation(writer.open_slot()).keyring)

    with in_force(writer.open_keyring()):
        assert Draft.objects.get(owner_id=writer.id, day=FIRST_DAY).text == "Typed before the key was turned."
    draft = find_note_draft(writer.open_keyring())
    assert draft is not None
    assert draft.text == "A note of before."
    assert not LateDraft.objects.filter(owner_id=writer.id).exists()


def test_a_draft_from_after_is_sealed_to_the_new_pair(writer: Resident) -> None:
    stolen = key_pairs.load_key_pairs(writer.open_keyring())

    begin_rotation(writer.open_slot(), current_cookie=writer.get_cookie())
    late = send_late_draft(writer, "Typed after the key was turned.")

    assert bytes(writer.get_vault().public_key) != stolen[0].public
    assert open_text(late, stolen) is None
    assert get_draft_text(writer) == "Typed after the key was turned."


def test_a_pair_is_given_up_when_no_browser_has_it(writer: Resident) -> None:
    first = key_pairs.load_key_pairs(writer.open_keyring())[0]
    locked = writer.sign_in_elsewhere()
    for _ in range(3):
        begun = begin_rotation(writer.open_slot(), others=OtherBrowsers.LOCK)
        rotation_services.resume_rotation(begun.keyring)

    pairs = key_pairs.load_key_pairs(writer.open_keyring())
    assert len(pairs) == 4
    assert first in pairs
    writer.post("/unlock/", password=writer.password)
    assert key_pairs.load_key_pairs(writer.open_keyring()) == pairs, "the other browser has the first one"
    locked.post("/unlock/", password=writer.password)

    assert key_pairs.load_key_pairs(writer.open_keyring()) == pairs[:1]


def test_only_the_pairs_that_nobody_has_are_given_up(writer: Resident) -> None:
    rotation_services.resume_rotation(begin_rotation(writer.open_slot(), others=OtherBrowsers.LOCK).keyring)
    elsewhere = writer.sign_in_elsewhere()
    rotation_services.resume_rotation(begin_rotation(writer.open_slot(), others=OtherBrowsers.LOCK).keyring)
    pairs = key_pairs.load_key_pairs(writer.open_keyring())

    writer.post("/unlock/", password=writer.password)

    assert len(pairs) == 3
    assert key_pairs.load_key_pairs(writer.open_keyring()) == pairs[:2]
    assert elsewhere.get_sign_in().draft_key


def test_a_pair_is_shown_to_nobody(owner: Resident) -> None:
    pair = key_pairs.load_key_pairs(owner.open_keyring())[0]

    assert pair.private.hex() not in repr(pair)
    assert repr(pair.private) not in repr(pair)


def test_no_other_key_opens_the_pairs(owner: Resident) -> None:
    stranger = Keyring(owner=owner.id, epoch=1, keys={1: bytes(32)})

    with pytest.raises(CryptoError):
        key_pairs.load_key_pairs(stranger)
