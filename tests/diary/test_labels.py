"""Tests of the labels that the diary's envelopes are bound to; a changed label makes diaries unreadable."""

from diary.drafts import late_drafts
from diary.entries import services as entries_services
from diary.models import CustomReplyKind, Draft, Entry, LateDraft, Opening, Recap, Reply, Version
from llamora.fields.models import sealed_fields
from tests.people import Resident

SEALED = (Entry, Draft, Reply, Version, Opening, Recap, CustomReplyKind)


def test_the_labels_of_sealed_columns_are_frozen() -> None:
    labels = {field.label: field.bound for model in SEALED for field in sealed_fields(model)}

    assert labels == {
        "diary.entry.text": {"day": "diary.entry.day"},
        "diary.entry.source": {},
        "diary.draft.text": {"day": "diary.draft.day"},
        "diary.version.text": {"entry_id": "diary.version.entry", "revision": "diary.version.revision"},
        "diary.reply.text": {"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
        "diary.reply.read": {"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
        "diary.opening.text": {"day": "diary.opening.day"},
        "diary.opening.read": {"day": "diary.opening.day"},
        "diary.recap.body": {"day": "diary.recap.day"},
        "diary.own_kind.words": {},
    }


def test_the_labels_of_what_is_sealed_otherwise_are_frozen(owner: Resident) -> None:
    entry = owner.write("x")
    late = LateDraft(owner_id=owner.id, day=entry.day, entry_id=entry.id)

    context = late_drafts._build_context(late)

    assert entries_services._SAVE_KEY_LABEL == b"diary.entry.keep_key"
    assert (context.purpose, context.label) == ("late_draft", "diary.late_draft.box")
    assert context.bound == (
        ("diary.late_draft.day", entry.day.isoformat().encode()),
        ("diary.late_draft.entry", entry.id.bytes),
    )
