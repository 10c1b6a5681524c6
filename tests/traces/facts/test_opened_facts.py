"""Tests of the decrypted facts in memory, from which an export is written without decrypting them again."""

import io
import json
from typing import Any

import pytest
from django.db import connection, transaction

from diary.transfer.programs.file_formats import TextFormat
from llamora.crypto import Realm, RealmKeyring
from llamora.fields.rows import OpenedRows, RowReader
from llamora.fields.sealed import SealedField
from tests.people import Resident, register_resident
from tests.traces.facts.fact_steps import add_fact
from traces.facts import services
from traces.facts.fact_body import FactText
from traces.facts.pages.list_cache import find_opened_facts, listed_facts_cache
from traces.facts.selection import FactSelection
from traces.facts.transfer.exports import FactExportReport, write_facts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olive() -> Resident:
    return register_resident("Olive", signed_in=True)


@pytest.fixture
def decrypted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The envelopes of facts that are decrypted from now on."""
    envelopes: list[bytes] = []
    unseal_in = SealedField.unseal_in

    def unseal(self: SealedField, keyring: Any, envelope: bytes, context: Any) -> bytes:
        if self.label == "traces.fact.body":
            envelopes.append(envelope)
        return unseal_in(self, keyring, envelope, context)

    monkeypatch.setattr(SealedField, "unseal_in", unseal)
    return envelopes


def open_list(who: Resident) -> OpenedRows:
    assert who.get("/facts/").status_code == 200
    opened = find_opened_facts(who.keyring)
    assert opened is not None
    return opened


def export(who: Resident, keyring: RealmKeyring | None = None, **conditions: Any) -> list[str | None]:
    file = io.BytesIO()
    write_facts(
        file,
        keyring=keyring or who.keyring,
        text_format=TextFormat.JSON,
        wanted=FactSelection(**conditions),
        report=FactExportReport(),
    )
    return [row["content"] for row in json.loads(file.getvalue())["memories"]]


def store(sql: str, *values: Any) -> None:
    """Write to the table of facts as another process can."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE traces_fact SET {sql} WHERE id = %s", values)
        assert cursor.rowcount == 1


def test_an_export_decrypts_only_what_the_list_has_not(olive: Resident, decrypted: list[bytes]) -> None:
    first, second = add_fact(olive, "You like tea"), add_fact(olive, "You have a dog")
    open_list(olive)
    decrypted.clear()

    assert export(olive) == ["You like tea", "You have a dog"]
    assert export(olive, olive.keyring.restrict([Realm.FACTS]), words="dog") == ["You have a dog"]
    assert decrypted == []
    with olive.unlocked():
        services.correct_fact(owner_id=olive.id, fact_id=second.id, text=FactText.create("You have a cat"))
    decrypted.clear()
    assert export(olive) == ["You like tea", "You have a cat"]
    assert len(decrypted) == 1
    # Another process changes a fact, and puts the envelope of another in place of its own.
    store("state = 'archived'", first.id.hex)
    assert export(olive) == [None, "You have a cat"]
    store("state = 'accepted'", first.id.hex)
    assert export(olive) == ["You like tea", "You have a cat"]
    store("subject_index = CAST(X'ff' AS TEXT)", second.id.hex)
    assert export(olive) == ["You like tea", None]
    store("body = (SELECT body FROM traces_fact WHERE id = %s)", first.id.hex, second.id.hex)
    assert export(olive) == ["You like tea", None]


def test_a_forgotten_fact_leaves_memory_at_once(olive: Resident) -> None:
    gone, stays = add_fact(olive, "You like tea"), add_fact(olive, "You have a dog")
    opened = open_list(olive)
    assert len(opened) == 2

    with olive.unlocked(), transaction.atomic():
        services.forget_fact(owner_id=olive.id, fact_id=gone.id)
        of_the_forgotten = len(opened)
        # A page that is shown before the commit still reads it.
        listed_facts_cache.update(olive.id, lambda facts: facts.renew(olive.id))

    assert (of_the_forgotten, len(opened)) == (1, 1)
    assert list(opened._rows) == [stays.id.hex]
    assert export(olive) == ["You have a dog"]


def test_a_fact_forgotten_while_its_row_is_read_does_not_stay(
    olive: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = add_fact(olive, "You like tea")
    opened = open_list(olive)
    add_opened = RowReader.add_opened

    def forget_before(self: RowReader, *arguments: Any) -> None:
        services.forget_fact(owner_id=olive.id, fact_id=fact.id)
        add_opened(self, *arguments)
        assert len(opened) == 1

    with olive.unlocked():
        services.correct_fact(owner_id=olive.id, fact_id=fact.id, text=FactText.create("You like milk"))
        monkeypatch.setattr(RowReader, "add_opened", forget_before)
        listed_facts_cache.update(olive.id, lambda facts: facts.renew(olive.id))

    assert len(opened) == 0


def test_a_lock_closes_them_also_for_an_export_under_way(olive: Resident) -> None:
    add_fact(olive, "You like tea")
    opened = open_list(olive)
    assert len(opened) == 1

    olive.lock()

    assert (find_opened_facts(olive.keyring), len(opened)) == (None, 0)
    # A program that works while its owner is away decrypts them itself.
    assert export(olive, olive.keyring.restrict([Realm.FACTS])) == ["You like tea"]
    assert find_opened_facts(olive.keyring) is None
