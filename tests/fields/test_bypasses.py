"""Tests that no query method that bypasses a sealed column returns its text."""

import copy
import json
import pickle
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers
from django.core.management import call_command
from django.db.models import F, Q
from django.db.models.functions import Length
from django.forms import modelform_factory
from django.forms.models import model_to_dict

from accounts.models import Vault
from diary.models import Draft, Entry
from llamora.fields import SealedFieldError, SealedQuerySet, SealedValue
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from tests.fields.stored import DAY, OTHER_DAY, WORDS, read, read_stored_bytes, write
from tests.people import Resident


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "x"},
        {"text": None},
        {"day": OTHER_DAY},
        {"owner_id": None},
        {"owner": None},
        {"source": b"x"},
        {"pk": None},
        {"revision": 2},
        {"origin": "imported"},
        {"utc_offset": None},
        {"deleted_at": None},
        {"created_at": None},
        {"mac": None},
    ],
)
def test_update_writes_no_sealed_or_bound_column(owner: Resident, changes: dict[str, Any]) -> None:
    entry = write(owner)

    with owner.unlocked(), pytest.raises(SealedFieldError):
        Entry.objects.filter(id=entry.id).update(**changes)

    assert read(owner, entry) == WORDS


def test_update_writes_the_others(owner: Resident) -> None:
    entry = write(owner)

    Entry.objects.filter(id=entry.id).update(first_day=F("day"))

    assert read(owner, entry) == WORDS
    assert Entry.objects.get(id=entry.id).first_day == DAY


@pytest.mark.parametrize("names", [["text"], ["day"], ["first_day", "text"], ["deleted_at"], ["mac"]])
def test_bulk_update_writes_no_sealed_or_bound_column(owner: Resident, names: list[str]) -> None:
    entry = write(owner)

    with owner.unlocked(), pytest.raises(SealedFieldError):
        Entry.objects.bulk_update([entry], names)


def test_bulk_create_overwrites_no_sealed_column(owner: Resident) -> None:
    entry = Entry(owner_id=owner.id, day=DAY, text="x")

    with owner.unlocked(), pytest.raises(SealedFieldError):
        Entry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["text"], unique_fields=["id"]
        )


LOOKUPS = [
    "",
    "__exact",
    "__iexact",
    "__contains",
    "__icontains",
    "__startswith",
    "__in",
    "__gt",
    "__regex",
    "__range",
    "__length",
    "__foo__bar",
]


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("verb", ["filter", "exclude", "get"])
def test_the_database_is_asked_nothing_of_a_sealed_column(owner: Resident, lookup: str, verb: str) -> None:
    write(owner)

    with owner.unlocked(), pytest.raises(SealedFieldError):
        getattr(Entry.objects, verb)(**{f"text{lookup}": WORDS})


def test_neither_through_relations_nor_conditions_nor_expressions(owner: Resident) -> None:
    write(owner)

    asked: list[Any] = [
        lambda: Draft.objects.filter(entry__text=WORDS),
        lambda: Entry.objects.filter(Q(day=DAY) | ~Q(text__contains="heron")),
        lambda: Entry.objects.get_or_create(owner_id=owner.id, day=DAY, text=WORDS),
    ]
    for ask in asked:
        with owner.unlocked(), pytest.raises(SealedFieldError):
            ask()


def test_whether_there_is_something_may_be_asked(owner: Resident) -> None:
    write(owner)

    assert Entry.objects.filter(source__isnull=True).count() == 1


def test_functions_of_the_database_see_envelopes_only(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        row = Entry.objects.annotate(size=Length("text")).values("size", "text").get()

    assert row["size"] == len(read_stored_bytes(entry))
    assert WORDS not in str(row)


def test_values_show_envelopes(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        shown = [
            Entry.objects.values("text").get()["text"],
            Entry.objects.values_list("text", flat=True).get(),
            Entry.objects.annotate(other=F("text")).values("other").get()["other"],
        ]

    for value in shown:
        assert isinstance(value, SealedValue)
        assert value.envelope == read_stored_bytes(entry)
        assert repr(value) == str(value) == f"<sealed, {len(read_stored_bytes(entry))} bytes>"


def test_nothing_printed_holds_words(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS
        new = Entry(owner_id=owner.id, day=DAY, text=WORDS)
        printed = [
            repr(entry),
            str(entry),
            repr(new),
            str(new.__dict__),
            repr(new.__dict__["text"]),
            str(vars(entry)),
        ]

    assert not any(WORDS in line for line in printed)


def test_a_pickled_row_is_sealed(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS
        pickled = pickle.dumps(entry)
        assert WORDS.encode() not in pickled
        assert WORDS.encode("utf-16-le") not in pickled

        again = pickle.loads(pickled)
        assert again.text == WORDS
        again.day = OTHER_DAY
        again.save()
    assert read(owner, entry) == WORDS


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_what_is_not_sealed_yet_is_neither_pickled_nor_copied(owner: Resident, copied: Any) -> None:
    entry = write(owner)
    entry.text = "assigned, and not saved"

    with owner.unlocked(), pytest.raises(SealedFieldError):
        copied(entry)


def test_pickled_querysets_are_sealed(owner: Resident) -> None:
    write(owner)
    with owner.unlocked():
        entries = Entry.objects.all()
        assert [entry.text for entry in entries] == [WORDS]

        assert WORDS.encode() not in pickle.dumps(entries)


def test_a_deep_copy_opens_and_is_a_row_of_its_own(owner: Resident) -> None:
    entry = write(owner)

    twin = copy.deepcopy(entry)

    with owner.unlocked():
        twin.text = "changed"
        assert (entry.text, twin.text) == (WORDS, "changed")


def test_a_row_as_a_dict_or_form_has_no_sealed_column(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert "text" not in model_to_dict(entry)
        assert "text" not in modelform_factory(Entry, fields="__all__").base_fields
        assert not {"private_key", "digest_key"} & set(modelform_factory(Vault, fields="__all__").base_fields)


@pytest.mark.parametrize("format_of", ["json", "jsonl", "python"])
@pytest.mark.parametrize("is_unlocked", [True, False])
def test_serialized_rows_carry_envelopes(owner: Resident, format_of: str, is_unlocked: bool) -> None:
    entry = write(owner)

    if is_unlocked:
        with owner.unlocked():
            said = str(serializers.serialize(format_of, Entry.objects.all()))
    else:
        said = str(serializers.serialize(format_of, Entry.objects.all()))

    assert WORDS not in said
    if format_of == "json":
        assert json.loads(said)[0]["fields"]["text"] == SealedValue(read_stored_bytes(entry)).to_text()


def test_what_is_not_sealed_yet_is_not_serialized(owner: Resident) -> None:
    with pytest.raises(SealedFieldError):
        serializers.serialize("json", [Entry(owner_id=owner.id, day=DAY, text="unsaved")])


@pytest.mark.parametrize("is_unlocked", [True, False])
def test_a_dump_that_is_loaded_again_keeps_its_envelopes(
    owner: Resident, tmp_path: Path, is_unlocked: bool
) -> None:
    entry = write(owner)
    before, dump = read_stored_bytes(entry), tmp_path / "dump.json"
    call_command("dumpdata", "accounts", "diary", output=str(dump), verbosity=0)
    assert WORDS not in dump.read_text()
    Entry.objects.all().delete()
    owner.person.delete()

    if is_unlocked:
        with owner.unlocked():
            call_command("loaddata", str(dump), verbosity=0, stdout=StringIO())
    else:
        call_command("loaddata", str(dump), verbosity=0, stdout=StringIO())

    assert read_stored_bytes(entry) == before
    assert read(owner, entry) == WORDS


def test_a_dump_in_a_format_that_reads_attributes_carries_envelopes(owner: Resident, tmp_path: Path) -> None:
    entry, dump = write(owner), tmp_path / "dump.xml"

    with owner.unlocked():
        call_command("dumpdata", "diary", format="xml", output=str(dump), verbosity=0)

    assert WORDS not in dump.read_text()
    assert SealedValue(read_stored_bytes(entry)).to_text() in dump.read_text()


def test_a_fixture_cannot_bring_words_in_clear(owner: Resident, tmp_path: Path) -> None:
    row = {
        "model": "diary.entry",
        "pk": str(owner.id),
        "fields": {"owner": str(owner.id), "day": "2026-11-20", "text": "in clear"},
    }
    fixture = tmp_path / "clear.json"
    fixture.write_text(json.dumps([row]))

    with owner.unlocked(), pytest.raises(Exception, match="sealed values"):
        call_command("loaddata", str(fixture), verbosity=0)

    assert not Entry.objects.exists()


def test_every_manager_of_a_sealed_model_refuses() -> None:
    for model in sealed_models():
        managers = [model._default_manager, model._base_manager, *model._meta.managers]
        assert all(isinstance(manager.all(), SealedQuerySet) for manager in managers), model


def test_no_sealed_field_is_in_any_admin() -> None:
    from accounts.admin.site import site

    for model, admin in site._registry.items():
        names = {field.name for field in sealed_fields(model)}
        shown = {str(name) for name in (*admin.list_display, *(admin.fields or ()), *admin.search_fields)}
        assert not names & shown
        assert not names or not admin.has_add_permission(None)


def test_the_sealed_attribute_is_not_bypassed(owner: Resident) -> None:
    """A descriptor without __set__ would be shadowed by the instance's own dict."""
    for model in sealed_models():
        for field in sealed_fields(model):
            attribute = model.__dict__[field.attname]
            assert hasattr(type(attribute), "__set__")
            assert getattr(model, field.attname) is attribute
