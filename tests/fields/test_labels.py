"""Tests that the labels of sealed fields never change; a changed label makes diaries unreadable."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from django.db.migrations.loader import MigrationLoader

from llamora.fields import MacField, SealedField, SealedFieldError
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from llamora.fields.sealed import NUMBERED, encode_bound_value

# Add a line for a new column. Never change or reuse one.
PINNED: dict[str, tuple[str, ...]] = {
    "accounts.vault.private_key": ("accounts.vault.public_key",),
    "accounts.vault.digest_key": (),
    "accounts.vault.ways_in": (),
    "accounts.vault.former_pair": (),
    "accounts.vault.folded_drafts": (),
    "accounts.access_token.name": (),
    "accounts.browser_key.secret": ("accounts.browser_key.epoch", "accounts.browser_key.sign_in"),
    "accounts.vault.state": (),
    "accounts.vault.preferences": (),
    "accounts.vault.model_hosts": (),
    "accounts.former_key.data_key": ("accounts.former_key.epoch",),
    "diary.entry.text": (
        "diary.entry.day",
        "diary.entry.origin",
        "diary.entry.revision",
        "diary.entry.utc_offset",
    ),
    "diary.entry.source": (),
    "diary.entry.provenance": (),
    "diary.import_claim.body": (),
    "diary.inbox_item.body": ("diary.inbox_item.day", "diary.inbox_item.origin"),
    "diary.draft.text": (
        "diary.draft.based_on",
        "diary.draft.day",
        "diary.draft.entry",
        "diary.draft.revision",
    ),
    "diary.version.text": ("diary.version.entry", "diary.version.revision"),
    "diary.reply.text": ("diary.reply.entry", "diary.reply.kind"),
    "diary.reply.read": ("diary.reply.entry", "diary.reply.kind"),
    "diary.opening.text": ("diary.opening.day",),
    "diary.opening.read": ("diary.opening.day",),
    "diary.recap.body": ("diary.recap.day",),
    "diary.own_kind.words": (),
    "diary.note.head": (
        "diary.note.approved_revision",
        "diary.note.origin",
        "diary.note.path_index",
        "diary.note.revision",
    ),
    "diary.note.text": ("diary.note.approved_revision", "diary.note.origin", "diary.note.revision"),
    "diary.note.data": ("diary.note.approved_revision", "diary.note.origin", "diary.note.revision"),
    "diary.note_version.text": (
        "diary.note_version.note",
        "diary.note_version.origin",
        "diary.note_version.revision",
    ),
    "diary.note_version.data": (
        "diary.note_version.note",
        "diary.note_version.origin",
        "diary.note_version.revision",
    ),
    "diary.note_draft.body": (
        "diary.note_draft.based_on",
        "diary.note_draft.note",
        "diary.note_draft.revision",
    ),
    "traces.trace.name": ("traces.trace.is_read_always", "traces.trace.name_index"),
    "traces.trace.summary": (),
    "traces.proposal.body": ("traces.proposal.entry",),
    "traces.change.body": ("traces.change.into", "traces.change.kind", "traces.change.trace"),
    "traces.fact.body": (
        "traces.fact.entry",
        "traces.fact.origin",
        "traces.fact.same_index",
        "traces.fact.state",
        "traces.fact.subject_index",
        "traces.fact.successor",
    ),
    "traces.fact_change.body": (
        "traces.fact_change.fact",
        "traces.fact_change.kind",
        "traces.fact_change.number",
    ),
    "traces.fact_settings.body": (),
    "search.vector.body": ("search.vector.embedder", "search.vector.rule", "search.vector.source"),
    "search.recent.text": (),
    "search.look_back.body": ("search.look_back.first_day", "search.look_back.span"),
    "search.check_in.body": ("search.check_in.due_at", "search.check_in.is_by_hand"),
    "search.check_in_proposal.body": ("search.check_in_proposal.check_in",),
    "search.check_in_settings.body": (),
    "search.question.text": (
        "search.question.has_read_imported",
        "search.question.origin",
        "search.question.session",
    ),
    "search.question.answer": (
        "search.question.has_read_imported",
        "search.question.origin",
        "search.question.session",
    ),
    "search.question.sources": (
        "search.question.has_read_imported",
        "search.question.origin",
        "search.question.session",
    ),
    "search.question.read": (
        "search.question.has_read_imported",
        "search.question.origin",
        "search.question.session",
    ),
    "search.question.name": (
        "search.question.has_read_imported",
        "search.question.origin",
        "search.question.session",
    ),
}
# Codes of plaintext columns. Never change or reuse one.
CODES: dict[str, tuple[str, ...]] = {
    "diary.entry.mac": ("diary.entry.created_at", "diary.entry.deleted_at"),
    "diary.inbox_item.mac": ("diary.inbox_item.created_at", "diary.inbox_item.deleted_at"),
    "diary.note.mac": ("diary.note.created_at", "diary.note.updated_at"),
    "traces.trace.mac": ("traces.trace.created_at", "traces.trace.deleted_at"),
    "traces.entry_trace.mac": ("traces.entry_trace.entry", "traces.entry_trace.trace"),
    "traces.fact.mac": ("traces.fact.changed_at", "traces.fact.created_at"),
    "traces.fact_change.mac": ("traces.fact_change.made_at",),
    "traces.declined_fact.mac": ("traces.declined_fact.declined_at", "traces.declined_fact.digest"),
    "search.check_in_proposal.mac": ("search.check_in_proposal.created_at",),
    "search.question.mac": ("search.question.created_at",),
}
# What envelopes of format 1 were bound to, where that was less. No line is ever added.
BOUND_IN_FORMAT_1: dict[str, tuple[str, ...]] = {
    "diary.entry.text": ("diary.entry.day",),
    "diary.draft.text": ("diary.draft.day",),
    "traces.trace.name": (),
    "traces.change.body": ("traces.change.kind", "traces.change.trace"),
}
# The columns that these labels stand for: a label that moves to another column binds another value.
COLUMNS = {
    "accounts.vault.public_key": "public_key",
    "accounts.browser_key.epoch": "epoch",
    "accounts.browser_key.sign_in": "sign_in_id",
    "accounts.former_key.epoch": "epoch",
    "diary.entry.day": "day",
    "diary.entry.origin": "origin",
    "diary.entry.revision": "revision",
    "diary.entry.utc_offset": "utc_offset",
    "diary.entry.created_at": "created_at",
    "diary.entry.deleted_at": "deleted_at",
    "diary.note.approved_revision": "approved_revision",
    "diary.note.created_at": "created_at",
    "diary.note.origin": "origin",
    "diary.note.path_index": "path_index",
    "diary.note.revision": "revision",
    "diary.note.updated_at": "updated_at",
    "diary.note_version.note": "note_id",
    "diary.note_version.origin": "origin",
    "diary.note_version.revision": "revision",
    "diary.note_draft.based_on": "based_on",
    "diary.note_draft.note": "note_id",
    "diary.note_draft.revision": "revision",
    "diary.inbox_item.day": "day",
    "diary.inbox_item.origin": "origin",
    "diary.inbox_item.created_at": "created_at",
    "diary.inbox_item.deleted_at": "deleted_at",
    "diary.draft.based_on": "based_on",
    "diary.draft.day": "day",
    "diary.draft.entry": "entry_id",
    "diary.draft.revision": "revision",
    "diary.version.entry": "entry_id",
    "diary.version.revision": "revision",
    "diary.reply.entry": "entry_id",
    "diary.reply.kind": "kind",
    "diary.opening.day": "day",
    "diary.recap.day": "day",
    "traces.trace.is_read_always": "is_read_always",
    "traces.trace.name_index": "name_index",
    "traces.trace.created_at": "created_at",
    "traces.trace.deleted_at": "deleted_at",
    "traces.entry_trace.entry": "entry_id",
    "traces.entry_trace.trace": "trace_id",
    "traces.proposal.entry": "entry_id",
    "traces.fact.entry": "entry_id",
    "traces.fact.successor": "successor_id",
    "traces.fact.state": "state",
    "traces.fact.origin": "origin",
    "traces.fact.subject_index": "subject_index",
    "traces.fact.same_index": "same_index",
    "traces.fact.created_at": "created_at",
    "traces.fact.changed_at": "changed_at",
    "traces.fact_change.fact": "fact_id",
    "traces.fact_change.number": "number",
    "traces.fact_change.kind": "kind",
    "traces.fact_change.made_at": "made_at",
    "traces.declined_fact.digest": "digest",
    "traces.declined_fact.declined_at": "declined_at",
    "traces.change.into": "into_id",
    "traces.change.kind": "kind",
    "traces.change.trace": "trace_id",
    "search.vector.embedder": "embedder",
    "search.vector.rule": "rule",
    "search.vector.source": "source",
    "search.look_back.span": "span",
    "search.look_back.first_day": "first_day",
    "search.check_in.due_at": "due_at",
    "search.check_in.is_by_hand": "is_by_hand",
    "search.check_in_proposal.check_in": "check_in_id",
    "search.check_in_proposal.created_at": "created_at",
    "search.question.session": "session_id",
    "search.question.origin": "origin",
    "search.question.has_read_imported": "has_read_imported",
    "search.question.created_at": "created_at",
}
OF_THIS_PROJECT = ("accounts", "diary", "traces", "search")


def list_sealed_fields() -> list[SealedField]:
    return [field for model in sealed_models() for field in sealed_fields(model)]


def sort_labels(bound: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(bound.values()))


def test_every_label_is_pinned_with_what_it_is_bound_to() -> None:
    sealed = [field for field in list_sealed_fields() if not isinstance(field, MacField)]

    assert {field.label: sort_labels(field.bound) for field in sealed} == PINNED, (
        "pin the labels of new columns"
    )


def test_every_code_is_pinned_with_its_columns() -> None:
    codes = [field for field in list_sealed_fields() if isinstance(field, MacField)]

    assert {field.label: sort_labels(field.bound) for field in codes} == CODES


def test_what_format_1_was_bound_to_is_pinned() -> None:
    less = [field for field in list_sealed_fields() if field.bound_in_format_1 != field.bound]

    assert {field.label: sort_labels(field.bound_in_format_1) for field in less} == BOUND_IN_FORMAT_1
    for field in less:
        assert field.bound_in_format_1.items() <= field.bound.items()


def test_labels_of_bound_columns_stay_with_their_columns() -> None:
    found = {(label, column) for field in list_sealed_fields() for column, label in field.bound.items()}

    assert dict(found) == COLUMNS
    assert len(found) == len(COLUMNS)


def test_purposes_and_the_row_of_numbered_rows_stay_as_pinned() -> None:
    assert {field.purpose for field in list_sealed_fields() if isinstance(field, MacField)} == {"columns"}
    assert {field.purpose for field in list_sealed_fields() if not isinstance(field, MacField)} == {"field"}
    assert UUID(int=0) == NUMBERED


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, b"n:"),
        (0, b"i:0"),
        (-90, b"i:-90"),
        (True, b"i:1"),
        (False, b"i:0"),
        (date(2026, 11, 20), b"d:2026-11-20"),
        (datetime(2026, 11, 20, 9, 5, 7, tzinfo=UTC), b"t:2026-11-20T09:05:07.000+00:00"),
        (datetime(2026, 11, 20, 9, 5, 7, 123999, tzinfo=UTC), b"t:2026-11-20T09:05:07.123+00:00"),
        (
            datetime(2026, 11, 20, 9, 5, 7, tzinfo=timezone(timedelta(hours=2))),
            b"t:2026-11-20T07:05:07.000+00:00",
        ),
        (UUID(int=1), b"u:" + bytes(15) + b"\1"),
        ("", b"s:"),
        ("n:", b"s:n:"),
        ("ü", b"s:\xc3\xbc"),
        (b"\0\xff", b"b:\0\xff"),
        (memoryview(b"\0\xff"), b"b:\0\xff"),
    ],
)
def test_values_of_bound_columns_are_encoded_as_pinned(value: object, encoded: bytes) -> None:
    assert encode_bound_value(value) == encoded


def test_a_value_of_another_type_is_not_bound_and_not_quoted() -> None:
    with pytest.raises(SealedFieldError) as refused:
        encode_bound_value(["secret words"])

    assert "secret" not in str(refused.value)


def test_no_label_is_used_twice() -> None:
    labels = [field.label for field in list_sealed_fields()]
    bound = [label for field in list_sealed_fields() for label in field.bound.values()]

    assert len(labels) == len(set(labels))
    assert not set(labels) & set(bound)


def test_bound_columns_are_there() -> None:
    for model in sealed_models():
        columns = {field.attname for field in model._meta.concrete_fields}
        for field in sealed_fields(model):
            assert set(field.bound) <= columns


def test_migrations_know_the_same_labels() -> None:
    state: Any = MigrationLoader(None).project_state()
    in_migrations = [
        field
        for (app, _), model in state.models.items()
        if app in OF_THIS_PROJECT
        for field in model.fields.values()
        if isinstance(field, SealedField)
    ]

    assert describe(in_migrations) == describe(list_sealed_fields())


def describe(fields: list[SealedField]) -> dict[str, object]:
    return {field.label: (type(field), field.bound, field.bound_in_format_1, field.null) for field in fields}
