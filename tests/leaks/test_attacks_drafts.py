"""Attacks on drafts from locked pages: text that is inserted, moved, replaced or restored without a key.

The attacker can write to the database and knows the public key. The text is listed as one that could not be
verified. It appears in no composer, replaces nothing, and blocks nothing.
"""

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from selectolax.lexbor import LexborHTMLParser

from accounts.keys import key_pairs
from accounts.models import BrowserKey, SignIn
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from diary.drafts import late_draft_rows
from diary.drafts.late_draft_rows import MAX_BOX
from diary.models import Draft, LateDraft
from llamora.crypto import (
    DraftKey,
    compute_draft_mac,
    derive_browser_key,
    encode_draft_key,
    new_vault_keys,
    secret_bytes,
)
from tests.diary.late_drafts import (
    change,
    find_unchecked_texts,
    get_draft_text,
    open_another_browser,
    plant,
    send,
    unlock,
)
from tests.people import Resident, register_resident


def read_composer(owner: Resident) -> str:
    page = owner.get("/")
    assert page.status_code == 200
    return LexborHTMLParser(page.content).css_first("#write").text().strip()


def count_rows() -> int:
    with connection.cursor() as cursor:
        (count,) = cursor.execute("SELECT count(*) FROM diary_latedraft").fetchone()
    return int(count)


def check_nothing_entered(owner: Resident) -> None:
    """Check that a row entered nothing, and that pages and the export still work."""
    unlock(owner)

    assert not Draft.objects.filter(owner_id=owner.id).exists()
    assert read_composer(owner) == ""
    assert "could not be checked" in owner.get("/").content.decode()
    assert count_rows() == 1


def read_export(owner: Resident) -> Any:
    answer = owner.post("/export/", current=owner.password)
    assert answer.status_code == 200, answer.content
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    (name,) = [name for name in packed.namelist() if name.endswith("diary.json")]
    return json.loads(packed.read(name))


# --- Planted ------------------------------------------------------------------------------------------------


def test_a_row_sealed_by_anybody_never_becomes_a_draft(owner: Resident) -> None:
    owner.lock()
    plant(owner, {"text": "I confess", "revision": 0, "based_on": None})

    check_nothing_entered(owner)

    assert "I confess" in find_unchecked_texts(owner), "its owner may see it"


def test_a_row_sealed_by_anybody_never_replaces_a_draft(owner: Resident) -> None:
    typed = send(owner, "Her own words").json()
    owner.lock()
    plant(owner, {"text": "I confess", "revision": typed["revision"], "based_on": None})

    unlock(owner)

    assert get_draft_text(owner) == "Her own words"
    assert read_composer(owner) == "Her own words"


def test_a_code_by_another_browser_or_another_key_is_none(owner: Resident, housemate: Resident) -> None:
    cookie = housemate.get_cookie()
    owner.lock()
    own_id = owner.get_cookie().sign_in_id
    plant(owner, {"text": "I confess"}, make_mac=lambda box: secret_bytes(32), sign_in_id=own_id)
    plant(owner, {"text": "I confess"}, make_mac=lambda box: b"", sign_in_id=own_id)
    plant(owner, {"text": "I confess"}, make_mac=lambda box: box[:32], sign_in_id=cookie.sign_in_id)

    unlock(owner)

    assert not Draft.objects.exists()
    assert find_unchecked_texts(owner).count("I confess") == 3


SHAPES: dict[str, Any] = {
    "empty object": {},
    "list": [],
    "null": None,
    "number": 7,
    "text is a number": {"text": 7},
    "text is null": {"text": None},
    "text is a list": {"text": ["a"], "based_on": None},
    "text with half a character": b'{"text": "\\ud800"}',
    "text too long": {"text": "x" * 1_000_001},
    "based on a text": {"text": "planted", "based_on": "1"},
    "based on true": {"text": "planted", "based_on": True},
    "based on a huge number": {"text": "planted", "based_on": 2**40},
    "no JSON": b"{",
    "nothing": b"",
    "no UTF-8": b"\xff\xfe",
    "deep": b"[" * 200_000,
    "many digits": b'{"text": "planted", "based_on": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("has_code", [True, False])
def test_a_body_of_any_shape_stops_no_page(owner: Resident, shape: str, has_code: bool) -> None:
    """With a code too, as somebody with the cookie can make it."""
    owner.lock()
    if not has_code:
        plant(owner, SHAPES[shape])
    else:
        (key,) = _list_secrets(owner)
        late = plant(owner, SHAPES[shape], sign_in_id=owner.get_cookie().sign_in_id)
        late.mac = compute_draft_mac(key, box=late.box, context=_get_context(late))
        late.save()

    check_nothing_entered(owner)

    assert "This draft can't be opened." in find_unchecked_texts(owner)


def _list_secrets(owner: Resident) -> list[bytes]:
    with owner.unlocked():
        return [row.secret for row in BrowserKey.objects.filter(owner_id=owner.id)]


def _get_context(late: LateDraft) -> Any:
    return late_draft_rows._build_context(late)


COLUMNS: dict[str, tuple[str, Any]] = {
    "box is a text": ("box", "text"),
    "box is a number": ("box", 7),
    "box is empty": ("box", b""),
    "box is huge": ("box", bytes(MAX_BOX + 1)),
    "code is a text": ("mac", "text"),
    "code is a number": ("mac", 7),
    "day is no day": ("day", "2026-02-30"),
    "day is a text": ("day", "someday"),
    "day is a number": ("day", 7),
    "time is on no day": ("made_at", "2026-02-30 10:00:00"),
    "time is a text": ("made_at", "soon"),
    "browser is a text": ("sign_in_id", "the thief's"),
    "browser is bytes": ("sign_in_id", b"\xff" * 16),
    "revision is a text": ("revision", "many"),
    "revision is negative": ("revision", -1),
    "follows too much": ("follows", 2**50),
    "id is a text": ("id", "no id"),
}


@pytest.mark.parametrize("damage", COLUMNS)
def test_a_row_of_any_shape_stops_no_page(owner: Resident, damage: str) -> None:
    owner.lock()
    send(owner, "Typed")
    change(*COLUMNS[damage])

    check_nothing_entered(owner)
    page = find_unchecked_texts(owner)

    assert "can't be opened" in page or "can't be read at all" in page
    form = next(
        form for form in LexborHTMLParser(page).css("form") if "/drafts/" in (form.attributes["action"] or "")
    )
    assert owner.post(str(form.attributes["action"])).status_code == 302
    assert count_rows() == 0
    assert "could not be checked" not in owner.get("/").content.decode()


def test_damaged_and_planted_rows_stop_no_export(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=1, signed_in=True)
    olive.lock()
    send(olive, "Typed")
    change("day", "someday")
    plant(olive, {})
    plant(olive, {"text": "I confess", "based_on": None})
    olive.post("/unlock/", password=olive.password)

    drafts = read_export(olive)["others"]["drafts"]

    assert [draft["text"] for draft in drafts] == ["Draft 0"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sign_in_id", "text"),
        ("secret", 7),
        ("secret", b"\2\0\0\0\1" + bytes(80)),
        ("epoch", "text"),
        ("id", "no id"),
    ],
)
def test_a_damaged_key_of_a_browser_stops_no_page(owner: Resident, column: str, value: Any) -> None:
    owner.lock()
    send(owner, "Typed")
    for trigger in ("insert", "update"):
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER IF EXISTS fence_accounts_browserkey_secret_{trigger}")
    change(column, value, table="accounts_browserkey")

    check_nothing_entered(owner)

    assert "Typed" in find_unchecked_texts(owner)
    assert BrowserKey.objects.count() == 1


def test_many_planted_rows_keep_no_browser_from_saving(owner: Resident) -> None:
    owner.lock()
    for _ in range(60):
        plant(owner, {"text": "I confess"})

    assert send(owner, "Her own words").status_code == 200
    unlock(owner)

    assert get_draft_text(owner) == "Her own words"
    assert find_unchecked_texts(owner).count("I confess") == 20


def test_many_rows_planted_in_the_name_of_a_browser_keep_it_from_saving_nothing(owner: Resident) -> None:
    owner.lock()
    for _ in range(60):
        plant(owner, {"text": "I confess"}, sign_in_id=owner.get_cookie().sign_in_id)

    assert send(owner, "Her own words").status_code == 200
    unlock(owner)

    assert get_draft_text(owner) == "Her own words"


# --- Moved --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["day", "entry_id", "owner_id", "sign_in_id", "revision", "follows", "id"])
def test_a_row_that_was_moved_enters_nowhere(owner: Resident, housemate: Resident, column: str) -> None:
    other = open_another_browser(owner)
    entry = owner.write("An entry")
    owner.lock()
    other.lock()
    send(owner, "Written for this day alone")
    change(
        column,
        {
            "day": "1999-12-31",
            "entry_id": entry.id.hex,
            "owner_id": housemate.id.hex,
            "sign_in_id": other.get_cookie().sign_in_id.hex,
            "revision": 1,
            "follows": 1,
            "id": uuid4().hex,
        }[column],
    )

    for browser in (owner, other, housemate):
        unlock(browser)

    assert not Draft.objects.exists()
    assert count_rows() == 1
    assert "Written for this day" not in find_unchecked_texts(housemate)


def test_a_row_that_was_moved_is_replaced_by_no_save(owner: Resident, housemate: Resident) -> None:
    """A save replaces a row of its own browser only if the code of that row is right."""
    owner.lock()
    first = send(owner, "One").json()
    late = LateDraft.objects.get()
    change("follows", 12345)

    send(owner, "One two", revision=first["revision"])

    assert LateDraft.objects.count() == 2
    assert LateDraft.objects.get(id=late.id).box == late.box
    unlock(owner)
    assert get_draft_text(owner) == "One two"


# --- The public key -----------------------------------------------------------------------------------------


def test_a_public_key_of_the_thiefs_is_refused(owner: Resident) -> None:
    owner.lock()
    _, public = new_vault_keys()
    row = owner.get_sign_in()
    genuine = bytes(row.draft_key or b"")
    forgeries = [
        genuine[:5] + public + genuine[37:],
        encode_draft_key(DraftKey(1, public), browser_key=secret_bytes(32), owner=owner.id),
        genuine[:1] + (2).to_bytes(4, "big") + genuine[5:],
        b"\2" + genuine[1:],
        genuine[:-1],
        b"",
        None,
    ]

    for forged in forgeries:
        SignIn.objects.filter(id=row.id).update(draft_key=forged)
        answer = send(owner, "To nobody else")
        assert answer.status_code == 423
        assert "only in this page" in answer.json()["error"]
    assert not LateDraft.objects.exists()
    SignIn.objects.filter(id=row.id).update(draft_key=genuine)
    assert send(owner, "To her").status_code == 200


def test_the_public_key_of_another_browser_is_refused(owner: Resident, housemate: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()
    for thief in (other, housemate):
        SignIn.objects.filter(id=owner.get_sign_in().id).update(draft_key=thief.get_sign_in().draft_key)

        assert send(owner, "To nobody else").status_code == 423


def test_a_public_key_of_a_later_key_than_the_vaults_is_refused(owner: Resident) -> None:
    cookie = owner.get_cookie()
    owner.lock()
    (secret,) = _list_secrets(owner)
    later = DraftKey(2, bytes(owner.get_vault().public_key))
    stored = encode_draft_key(later, browser_key=secret, owner=owner.id)
    SignIn.objects.filter(id=cookie.sign_in_id).update(draft_key=stored)

    assert send(owner, "To nobody else").status_code == 423


def test_the_public_key_from_before_the_last_unlock_is_refused(owner: Resident) -> None:
    before = owner.get_sign_in().draft_key
    owner.lock()
    unlock(owner)
    owner.lock()
    SignIn.objects.filter(id=owner.get_sign_in().id).update(draft_key=before)

    assert send(owner, "To nobody else").status_code == 423


def test_a_public_key_in_the_vault_that_is_not_hers_gets_nothing(owner: Resident) -> None:
    """The draft is sealed to the key that the browser knows, whatever the vault's row says."""
    private, public = new_vault_keys()
    owner.lock()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET public_key = %s", [public])
    assert send(owner, "To nobody else").status_code == 200

    pair = key_pairs.VaultKeyPair(private=private, public=public)
    assert late_draft_rows.open_text(LateDraft.objects.get(), [pair]) is None


# --- The cookie and the disk --------------------------------------------------------------------------------


def test_the_cookie_and_the_disk_read_nothing(owner: Resident) -> None:
    """Who has both, and cannot write, has the key of the browser, but it opens no box."""
    owner.lock()
    send(owner, "For her eyes")
    cookie, late, row = owner.get_cookie(), LateDraft.objects.get(), owner.get_sign_in()
    (secret,) = _list_secrets(owner)
    known = [secret, cookie.half, bytes(late.mac or b""), bytes(row.draft_key or b"")[5:37]]
    public = bytes(owner.get_vault().public_key)

    pairs = [key_pairs.VaultKeyPair(private=key, public=public) for key in known]

    assert late_draft_rows.open_text(late, pairs) is None
    assert not hasattr(row, "unlock")


def test_the_cookie_and_a_write_forge_a_draft_of_that_browser_and_nothing_else(owner: Resident) -> None:
    """The README says so."""
    other = open_another_browser(owner)
    typed = send(owner, "Her own words").json()
    other.lock()
    cookie = other.get_cookie()
    key = derive_browser_key(cookie.half, sign_in_id=cookie.sign_in_id)
    for sign_in_id in (cookie.sign_in_id, owner.get_cookie().sign_in_id):
        late = plant(owner, {"text": "Forged", "based_on": None}, sign_in_id=sign_in_id)
        late.mac = compute_draft_mac(key, box=late.box, context=_get_context(late))
        late.save()

    unlock(other)

    assert get_draft_text(owner) == "Her own words\n\nForged"
    assert Draft.objects.get().revision != typed["revision"]
    assert find_unchecked_texts(owner).count("Forged") == 1


# --- Several keys -------------------------------------------------------------------------------------------


def test_text_sealed_two_rotations_ago_is_folded_in(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=3, signed_in=True)
    olive.lock()
    for _ in range(2):
        begun = begin_rotation(olive.open_slot(), others=OtherBrowsers.LOCK)
        rotation_services.resume_rotation(begun.keyring)
    assert len(key_pairs.load_key_pairs(olive.open_keyring())) == 3

    # That browser was not unlocked since, so it knows the first public key only.
    send(olive, "Sealed to the first key")
    olive.post("/unlock/", password=olive.password)

    assert read_composer(olive) == "Sealed to the first key"
    assert not LateDraft.objects.exists()
    assert len(key_pairs.load_key_pairs(olive.open_keyring())) == 1, "nobody has the former ones"


def test_a_browser_signed_out_by_a_rotation_loses_nothing(transactional_db: None) -> None:
    olive = register_resident("Olive", entries=3, signed_in=True)
    olive.lock()
    send(olive, "Before the new password")
    with pytest.MonkeyPatch.context() as patch:
        # The fold before the rotation dies.
        patch.setattr("diary.receivers.merge_late_drafts", lambda keyring: 0)
        begun = begin_rotation(olive.open_slot())
    rotation_services.resume_rotation(begun.keyring)
    assert LateDraft.objects.count() == 1
    assert not SignIn.objects.exists()

    olive.sign_in()

    assert read_composer(olive) == "Before the new password"
    assert BrowserKey.objects.count() == 1


def test_former_keys_stay_while_a_text_that_could_not_be_checked_may_need_them(
    transactional_db: None,
) -> None:
    olive = register_resident("Olive", entries=3, signed_in=True)
    late = plant(olive, {"text": "Sent to an earlier version", "revision": 0})
    rotation_services.resume_rotation(begin_rotation(olive.open_slot()).keyring)
    olive.sign_in()
    assert "Sent to an earlier version" in find_unchecked_texts(olive)

    olive.post(f"/drafts/{late.id}/delete/")
    olive.lock()
    olive.post("/unlock/", password=olive.password)

    assert len(key_pairs.load_key_pairs(olive.open_keyring())) == 1


# --- Who decides about them ---------------------------------------------------------------------------------


def test_a_housemate_neither_sees_nor_deletes_them(owner: Resident, housemate: Resident) -> None:
    late = plant(owner, {"text": "I confess"})

    assert "I confess" not in find_unchecked_texts(housemate)
    assert housemate.post(f"/drafts/{late.id}/delete/").status_code == 404
    assert housemate.post("/drafts/damaged/delete/").status_code == 302
    assert count_rows() == 1
    assert owner.post(f"/drafts/{late.id}/delete/").status_code == 302
    assert count_rows() == 0
    assert owner.post(f"/drafts/{late.id}/delete/").status_code == 404


def test_what_waits_for_an_unlock_is_not_shown_as_unchecked(owner: Resident) -> None:
    other = open_another_browser(owner)
    owner.lock()
    send(owner, "On its way")

    assert "On its way" not in find_unchecked_texts(other)
    assert "could not be checked" not in other.get("/").content.decode()


def test_a_text_whose_draft_is_damaged_is_shown(owner: Resident) -> None:
    typed = send(owner, "Typed").json()
    owner.lock()
    send(owner, "Typed too late", revision=typed["revision"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_draft SET text = CAST(substr(text, 1, 40) || zeroblob(60) AS BLOB)")

    unlock(owner)

    page = find_unchecked_texts(owner)
    assert "Typed too late" in page
    assert "This draft is yours" in page


def test_a_planted_text_is_shown_as_text(owner: Resident) -> None:
    plant(owner, {"text": "<script>alert(1)</script>"})

    assert "&lt;script&gt;alert(1)" in find_unchecked_texts(owner)
