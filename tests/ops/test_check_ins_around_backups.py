"""Tests of check-ins, consents and API keys through a rotation, a backup and the deletion of an account."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Vault
from accounts.remote_hosts import services as remote_hosts
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.security.deletion import delete_person
from llamora.crypto import in_force
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.verify_secret import using_database_file
from search.checkins.choices import load_choices
from search.models import CheckIn, CheckInProposal, CheckInSettings
from tests.ops.backups import NOW, BackupFolders, read_all_files
from tests.people import Resident, register_resident
from tests.search.check_ins.checking_in import switch_on

ORIGIN, KEY = "https://models.example:443", "sk-own-key"
TABLES = (CheckIn, CheckInProposal, CheckInSettings)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person with check-ins, a proposal, a consent and a key."""
    who = register_resident("Olive")
    switch_on(who)
    with who.unlocked():
        made = CheckIn.objects.create(owner_id=who.id, due_at=timezone.now(), body={"requests": 1})
        CheckInProposal.objects.create(owner_id=who.id, check_in=made, body={"text": "Are the tulips out?"})
        remote_hosts.agree(who.id, "models.example", on=who.today)
        remote_hosts.save_key(who.id, "models.example", origin=ORIGIN, key=KEY)
    return who


def check_all_is_there(who: Resident) -> None:
    keyring = who.open_keyring()
    assert rotation_services.verify_envelopes(keyring).damaged == []
    with in_force(keyring):
        assert load_choices(who.id).is_on
        assert [row.body["text"] for row in CheckInProposal.objects.all()] == ["Are the tulips out?"]
        assert remote_hosts.load_host_key(who.id, "models.example", ORIGIN) == KEY


def verify(who: Resident, folder: Path, *database: Path) -> None:
    password = folder / "password"
    password.write_text(who.password + "\n")
    call_command("verify", *database, user="Olive", password_file=password)


def test_they_are_what_they_were_under_a_new_key_and_in_a_backup(
    olive: Resident, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rotation_services.resume_rotation(begin_rotation(olive.open_slot()).keyring)
    check_all_is_there(olive)
    place = BackupFolders(folder=tmp_path)
    taken = place.create_backup(with_secrets=True)
    files = read_all_files(taken.path) if taken.path.is_dir() else taken.path.read_bytes()
    backup_restore.restore_backup(
        taken.path, database=place.target_database, key_file=place.key_file, now=NOW
    )

    verify(olive, tmp_path, place.target_database)

    assert KEY.encode() not in files
    assert "No damage was found" in capsys.readouterr().out
    with using_database_file(place.target_database):
        check_all_is_there(olive)


def test_verify_finds_consents_that_were_changed(
    olive: Resident, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_vault SET model_hosts = preferences")

    with pytest.raises(CommandError) as ended:
        verify(olive, tmp_path)

    said = capsys.readouterr()
    assert "model_hosts" in said.out + said.err + str(ended.value)


def test_they_go_with_the_account(olive: Resident) -> None:
    assert all(model.objects.exists() for model in TABLES)

    delete_person(olive.person)

    assert not any(model.objects.exists() for model in (*TABLES, Vault))
