"""Tests that every label belongs to one realm, and that this never changes."""

import pytest

from llamora.crypto import REALMS, Keyring, Realm, UnknownLabel, get_realm
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from tests.crypto.cast import DATA_KEY, ENTRY_TEXT, OWNER

# Add a line for a new label. Never change one: what is sealed under it would not open any more.
PINNED = {
    "accounts.access_token": "vault",
    "accounts.browser_key": "vault",
    "accounts.former_key": "vault",
    "accounts.person": "vault",
    "accounts.vault": "vault",
    "diary.draft": "content",
    "diary.entry": "content",
    "diary.html_cache": "content",
    "diary.inbox_item": "content",
    "diary.import_claim": "content",
    "diary.opening": "content",
    "diary.own_kind": "content",
    "diary.recap": "content",
    "diary.reply": "content",
    "diary.version": "content",
    "search.question": "content",
    "search.look_back": "content",
    "search.check_in": "content",
    "search.check_in_proposal": "content",
    "search.check_in_settings": "vault",
    "search.recent": "vault",
    "search.vector": "content",
    "traces.change": "content",
    "diary.note": "notes",
    "diary.note_version": "notes",
    "diary.note_draft": "notes",
    "traces.fact": "facts",
    "traces.fact_change": "facts",
    "traces.declined_fact": "facts",
    "traces.fact_settings": "facts",
    "traces.entry_trace": "content",
    "traces.proposal": "content",
    "traces.trace": "content",
}
LABELS = sorted(field.label for model in sealed_models() for field in sealed_fields(model))


def test_realms_and_what_belongs_to_them_stay_as_pinned() -> None:
    assert {realm.value for realm in Realm} == {"content", "facts", "notes", "vault"}
    assert {label: realm.value for label, realm in REALMS.items()} == PINNED


def test_every_label_of_a_sealed_column_has_a_realm() -> None:
    assert len(LABELS) > 20
    for label in LABELS:
        assert get_realm(label).value == PINNED[label.rpartition(".")[0]]


@pytest.mark.parametrize(
    "label", ["", "diary", "diary.nothing.text", "entry.diary.text", "xdiary.entry.text"]
)
def test_a_label_of_no_realm_is_refused_and_not_quoted(label: str) -> None:
    keyring = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})

    with pytest.raises(UnknownLabel) as refused:
        keyring.blind_index(label=label, value="snow")

    assert refused.value.code == "unknown_label"
    assert str(refused.value) == "The label belongs to no realm."
    with pytest.raises(UnknownLabel):
        get_realm(label)


def test_a_label_of_no_realm_is_refused_in_both_directions(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed, code = keyring.seal(b"snow", ENTRY_TEXT), keyring.compute_mac(ENTRY_TEXT)
    get_realm.cache_clear()
    monkeypatch.delitem(REALMS, "diary.entry")

    for use in (
        lambda: keyring.seal(b"snow", ENTRY_TEXT),
        lambda: keyring.unseal(sealed, ENTRY_TEXT),
        lambda: keyring.compute_mac(ENTRY_TEXT),
        lambda: keyring.check_mac(code, ENTRY_TEXT),
    ):
        with pytest.raises(UnknownLabel):
            use()
