"""Tests of a diary with facts through a rotation, `verify`, a backup, and the deletion of its account."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.security import data_inventory
from accounts.security.deletion import delete_person
from diary.models import Origin
from llamora.crypto import in_force
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.verify_secret import using_database_file
from tests.ops.backups import NOW, BackupFolders, read_all_files
from tests.people import Resident, register_resident
from tests.traces.facts.test_services import add, build, propose, propose_new
from traces.facts import services
from traces.facts.changes import is_chain_whole, take_snapshot
from traces.facts.comparison import Strategy
from traces.facts.models import Fact, FactState
from traces.facts.queries import find_same, find_touched, list_changes

DAY = date(2026, 3, 5)
TABLES = ("traces_fact", "traces_factchange", "traces_declinedfact", "traces_factsettings")
SENTENCE = "You live in Graz"


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person with two accepted facts, one that was replaced, a proposal, and one that was forgotten."""
    who = register_resident("Olive")
    with who.unlocked():
        add(who, "You like tea")
        boston, graz = add(who, "You live in Boston"), propose_new(who, SENTENCE)
        services.resolve_conflict(
            owner_id=who.id, fact_id=graz.id, earlier_id=boston.id, strategy=Strategy.REPLACE
        )
        propose_new(who, "You own a kayak", origin=Origin.PROGRAM)
        services.forget_fact(owner_id=who.id, fact_id=add(who, "You like gin").id)
    return who


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


def take_all(who: Resident) -> dict[Any, Any]:
    return {fact.id: take_snapshot(fact) for fact in Fact.objects.for_owner(who.id)}


def count_rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


def iter_facts(who: Resident) -> Iterator[Fact]:
    yield from Fact.objects.for_owner(who.id)


def test_facts_are_what_they_were_under_a_new_key(olive: Resident) -> None:
    with olive.unlocked():
        before = take_all(olive)
    turned = begin_rotation(olive.open_slot())
    rotation_services.resume_rotation(turned.keyring)

    keyring = olive.open_keyring()
    assert rotation_services.verify_envelopes(keyring).damaged == []
    with in_force(keyring):
        assert take_all(olive) == before
        assert all(is_chain_whole(list_changes(fact)) for fact in iter_facts(olive))
        graz = find_same(olive.id, build(SENTENCE), [FactState.ACCEPTED])
        assert graz is not None
        assert [each.fact.id for each in find_touched(olive.id, build("You live in Bonn"))] == [graz.id]
        assert propose(olive, "You like gin") is None
        services.undo_change(owner_id=olive.id, fact_id=graz.id)
        assert Fact.objects.get(id=graz.id).state == FactState.PROPOSED


def test_a_restored_backup_has_the_facts_and_verify_opens_them(
    olive: Resident, place: BackupFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with olive.unlocked():
        before = take_all(olive)
    taken = place.create_backup(with_secrets=True)
    assert SENTENCE.encode() not in (
        read_all_files(taken.path) if taken.path.is_dir() else taken.path.read_bytes()
    )
    backup_restore.restore_backup(
        taken.path, database=place.target_database, key_file=place.key_file, now=NOW
    )
    password = tmp_path / "password"
    password.write_text(olive.password + "\n")

    call_command("verify", place.target_database, user="Olive", password_file=password)

    assert "No damage was found" in capsys.readouterr().out
    with using_database_file(place.target_database), olive.unlocked():
        assert take_all(olive) == before
        assert propose(olive, "You like gin") is None


def test_verify_finds_a_fact_that_was_changed(
    olive: Resident, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text(olive.password + "\n")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE traces_fact SET state = 'accepted' WHERE state = 'ended'")

    with pytest.raises(CommandError) as ended:
        call_command("verify", user="Olive", password_file=password)

    said = capsys.readouterr()
    assert "traces.fact" in said.out + said.err + str(ended.value)


def test_facts_are_counted_without_a_key_and_go_with_the_account(olive: Resident) -> None:
    assert "4 facts" in [str(row) for row in data_inventory.get_inventory(olive.id)]
    assert all(count_rows().values())

    delete_person(olive.person)

    assert not any(count_rows().values())
