"""Tests that the labels of sealed fields never change; a changed label makes diaries unreadable."""

from typing import Any

from django.db.migrations.loader import MigrationLoader

from llamora.fields import SealedField
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields

# Add a line for a new column. Never change or reuse one.
PINNED: dict[str, tuple[str, ...]] = {
    "accounts.vault.private_key": ("accounts.vault.public_key",),
    "accounts.vault.digest_key": (),
    "accounts.vault.ways_in": (),
    "accounts.vault.former_pair": (),
    "accounts.former_key.data_key": ("accounts.former_key.epoch",),
    "diary.entry.text": ("diary.entry.day",),
    "diary.entry.source": (),
    "diary.draft.text": ("diary.draft.day",),
    "diary.version.text": ("diary.version.entry", "diary.version.revision"),
    "diary.reply.text": ("diary.reply.entry", "diary.reply.kind"),
    "diary.reply.read": ("diary.reply.entry", "diary.reply.kind"),
    "diary.opening.text": ("diary.opening.day",),
    "diary.opening.read": ("diary.opening.day",),
    "diary.recap.body": ("diary.recap.day",),
    "diary.own_kind.words": (),
    "traces.trace.name": (),
    "traces.trace.summary": (),
    "traces.proposal.body": ("traces.proposal.entry",),
    "traces.change.body": ("traces.change.kind", "traces.change.trace"),
    "search.vector.body": ("search.vector.embedder", "search.vector.rule", "search.vector.source"),
    "search.recent.text": (),
}
OF_THIS_PROJECT = ("accounts", "diary", "traces", "search")


def list_sealed_fields() -> list[SealedField]:
    return [field for model in sealed_models() for field in sealed_fields(model)]


def test_every_label_is_pinned_with_what_it_is_bound_to() -> None:
    found = {field.label: tuple(sorted(field.bound.values())) for field in list_sealed_fields()}

    assert {label: bound for label, bound in found.items() if label in PINNED} == PINNED
    assert set(found) - set(PINNED) == set(), "pin the labels of new columns"


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
    found = {
        field.label: tuple(sorted(field.bound.values()))
        for (app, _), model in state.models.items()
        if app in OF_THIS_PROJECT
        for field in model.fields.values()
        if isinstance(field, SealedField)
    }

    assert found == {field.label: tuple(sorted(field.bound.values())) for field in list_sealed_fields()}
