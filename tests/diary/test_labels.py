"""Tests of the labels that the diary's envelopes are bound to; a changed label makes diaries unreadable."""

from diary.drafts import late_draft_rows
from diary.entries import services as entries_services
from diary.inbox import box_rows
from diary.inbox import services as inbox_services
from diary.models import (
    CustomReplyKind,
    Draft,
    Entry,
    ImportClaim,
    InboxBox,
    InboxItem,
    LateDraft,
    Opening,
    Origin,
    Recap,
    Reply,
    Version,
)
from llamora.fields.models import sealed_fields
from tests.people import Resident

SEALED = (Entry, Draft, Reply, Version, Opening, Recap, CustomReplyKind, InboxItem, ImportClaim)


def test_the_labels_of_sealed_columns_are_frozen() -> None:
    labels = {field.label: field.bound for model in SEALED for field in sealed_fields(model)}

    assert labels == {
        "diary.entry.text": {
            "day": "diary.entry.day",
            "revision": "diary.entry.revision",
            "origin": "diary.entry.origin",
            "utc_offset": "diary.entry.utc_offset",
        },
        "diary.entry.source": {},
        "diary.entry.provenance": {},
        "diary.entry.mac": {
            "deleted_at": "diary.entry.deleted_at",
            "created_at": "diary.entry.created_at",
        },
        "diary.draft.text": {
            "day": "diary.draft.day",
            "entry_id": "diary.draft.entry",
            "based_on": "diary.draft.based_on",
            "revision": "diary.draft.revision",
        },
        "diary.version.text": {"entry_id": "diary.version.entry", "revision": "diary.version.revision"},
        "diary.reply.text": {"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
        "diary.reply.read": {"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
        "diary.opening.text": {"day": "diary.opening.day"},
        "diary.opening.read": {"day": "diary.opening.day"},
        "diary.recap.body": {"day": "diary.recap.day"},
        "diary.own_kind.words": {},
        "diary.import_claim.body": {},
        "diary.inbox_item.body": {"day": "diary.inbox_item.day", "origin": "diary.inbox_item.origin"},
        "diary.inbox_item.mac": {
            "deleted_at": "diary.inbox_item.deleted_at",
            "created_at": "diary.inbox_item.created_at",
        },
    }


def test_the_labels_of_envelopes_of_format_1_are_frozen() -> None:
    fields = [field for model in SEALED for field in sealed_fields(model)]

    less = {
        field.label: field.bound_in_format_1 for field in fields if field.bound_in_format_1 != field.bound
    }

    assert less == {
        "diary.entry.text": {"day": "diary.entry.day"},
        "diary.draft.text": {"day": "diary.draft.day"},
    }


def test_the_values_of_origins_are_frozen() -> None:
    # A text is bound to them.
    assert Origin.values == ["own", "own_token", "imported", "program", "model"]


def test_the_labels_of_what_is_sealed_otherwise_are_frozen(owner: Resident) -> None:
    entry = owner.write("x")
    before = LateDraft(owner_id=owner.id, day=entry.day, entry_id=entry.id)
    box = InboxBox(owner_id=owner.id, day=entry.day, sender_id=owner.id)
    dropped = box_rows._build_context(box)
    late = LateDraft(
        owner_id=owner.id, day=entry.day, entry_id=entry.id, sign_in_id=owner.id, revision=7, follows=5
    )

    context = late_draft_rows._build_context(late)

    assert entries_services._SAVE_KEY_LABEL == b"diary.entry.keep_key"
    assert (context.purpose, context.label) == ("late_draft", "diary.late_draft.box")
    assert (dropped.purpose, dropped.label, dropped.row) == ("drop", "diary.inbox_item.box", box.id)
    assert dropped.bound == (
        ("diary.inbox_item.day", entry.day.isoformat().encode()),
        ("diary.inbox_item.sender", owner.id.bytes),
    )
    assert inbox_services._REVIEW_LABEL == b"diary.inbox.review"
    bound_before = (
        ("diary.late_draft.day", entry.day.isoformat().encode()),
        ("diary.late_draft.entry", entry.id.bytes),
    )
    assert late_draft_rows._build_context(before).bound == bound_before
    assert context.bound == (
        *bound_before,
        ("diary.late_draft.sign_in", owner.id.bytes),
        ("diary.late_draft.revision", b"i:7"),
        ("diary.late_draft.follows", b"i:5"),
    )
    for note_id, name in ((entry.id, entry.id.bytes), (None, b"")):
        of_note = LateDraft(owner_id=owner.id, day=entry.day, is_of_note=True, note_id=note_id)
        assert late_draft_rows._build_context(of_note).bound == (
            bound_before[0],
            ("diary.late_draft.note", name),
        )
