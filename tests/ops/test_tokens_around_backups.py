"""Tests of a household with access tokens of all kinds, valid, revoked and expired, through each operation:

`doctor`, `verify`, a backup, its restore, an export and import, recovery, and the deletion of an account.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.errors import InvalidToken
from accounts.models import AccessToken
from accounts.rotation import background
from accounts.rotation.services import resume_rotation
from accounts.security.deletion import delete_person
from accounts.throttling.throttle import throttle
from accounts.tokens import services
from accounts.tokens.call_limits import call_limits
from accounts.tokens.services import DropSender
from diary.inbox.boxes import store_box
from diary.inbox.inbox_text import InboxText
from diary.models import InboxItem, Origin
from llamora.crypto import TokenKind, in_force, parse_token
from llamora.ops.backup import restore as backup_restore
from llamora.ops.backup.verify_secret import using_database_file
from llamora.ops.doctor import household
from llamora.ops.doctor.check_result import run_check
from tests import tokens
from tests.accounts.pages import confirm_code
from tests.diary.transfers import export_to_folder, import_file
from tests.ops.backups import NOW, BackupFolders, read_all_files
from tests.people import NEW_PASSWORD, Resident, register_resident
from tests.tokens import make_token, read_entries, use_token


@dataclass(kw_only=True)
class Tokens:
    """The texts of the tokens of each kind: valid, revoked and expired."""

    valid: dict[TokenKind, str]
    revoked: dict[TokenKind, str]
    expired: dict[TokenKind, str]

    @property
    def refused(self) -> list[str]:
        return [*self.revoked.values(), *self.expired.values()]


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the thread that finishes a rotation; the tests finish it themselves."""
    monkeypatch.setattr(background, "start_rotation_thread", lambda keyring: True)


@pytest.fixture
def place(tmp_path: Path) -> BackupFolders:
    return BackupFolders(folder=tmp_path)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    return register_resident("Olive", entries=6, signed_in=True)


@pytest.fixture
def made(olive: Resident) -> Tokens:
    """Tokens of each kind; those that hold keys are revoked by a new key."""
    made = Tokens(
        valid={kind: make_token(olive, kind, name=f"Valid {kind.value}") for kind in TokenKind},
        revoked={kind: make_token(olive, kind) for kind in TokenKind},
        expired={kind: make_token(olive, kind, lifetime_days=30) for kind in TokenKind},
    )
    for text in made.revoked.values():
        services.revoke_token(
            olive.open_keyring(),
            person=olive.person,
            token_id=parse_token(text).id,
            cookie=olive.get_cookie(),
        )
    resume_rotation(olive.open_keyring())
    AccessToken.objects.filter(lifetime_days=30).update(is_expired=True)
    check(olive, made)
    return made


def check(who: Resident, made: Tokens) -> None:
    """Check what each token opens, for a person who is unlocked."""
    call_limits.clear()
    written = set(who.written.values())
    assert read_entries(made.valid[TokenKind.ORDINARY]) == written
    assert read_entries(made.valid[TokenKind.AWAY]) == written
    assert use_token(made.valid[TokenKind.DROP]).drop is not None
    check_refused(made.refused)


def check_refused(texts: list[str]) -> None:
    throttle.clear()
    for text in texts:
        with pytest.raises(InvalidToken):
            use_token(text)


def drop_text(made: Tokens, text: str, *, day: Any) -> None:
    opened = use_token(made.valid[TokenKind.DROP])
    assert opened.drop is not None
    store_box(
        owner_id=opened.owner, day=day, text=InboxText.create(text), sender_id=opened.id, key=opened.drop
    )


def test_doctor_and_verify_find_nothing_wrong(
    olive: Resident, made: Tokens, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text(olive.password + "\n")

    call_command("verify", user="Olive", password_file=password)

    said = capsys.readouterr()
    assert "No damage was found" in said.out
    assert "can't be decrypted" not in said.out + said.err
    assert list(run_check(household.check_access_tokens)) == []
    check(olive, made)


def test_a_restored_backup_has_tokens_that_wait_and_none_that_was_revoked_before(
    olive: Resident, made: Tokens, place: BackupFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_text(made, "Sent before the backup.", day=olive.today)
    later = make_token(olive, TokenKind.DROP, name="Revoked since")
    taken = place.create_backup(with_secrets=True)
    services.revoke_token(
        olive.open_keyring(), person=olive.person, token_id=parse_token(later).id, cookie=olive.get_cookie()
    )
    everything = read_all_files(taken.path) if taken.path.is_dir() else taken.path.read_bytes()
    for text in (*made.valid.values(), *made.refused, later):
        assert parse_token(text).secret not in everything
        assert text.encode() not in everything

    backup_restore.restore_backup(
        taken.path, database=place.target_database, key_file=place.key_file, now=NOW
    )

    password = tmp_path / "password"
    password.write_text(olive.password + "\n")
    call_command("verify", place.target_database, user="Olive", password_file=password)
    assert "No damage was found" in capsys.readouterr().out
    with using_database_file(place.target_database):
        tokens.forget_process()
        assert AccessToken.objects.count() == 7
        assert not AccessToken.objects.filter(confirmation__isnull=False).exists()
        assert "7 wait after a restore" in " ".join(
            result.message for result in run_check(household.check_access_tokens)
        )
        check_refused([*made.valid.values(), *made.refused, later])
        keyring = olive.open_keyring()
        listed = {token.row.id: token for token in services.list_tokens(keyring)}
        for text in made.valid.values():
            token = listed[parse_token(text).id]
            assert (token.is_valid, token.is_suspended) == (True, True)
            assert services.confirm_token(keyring, token_id=token.row.id)
        assert read_entries(made.valid[TokenKind.AWAY]) == set(olive.written.values())
        drop_text(made, "Sent after the restore.", day=olive.today)
        check_refused([*made.refused, later])
        assert {sender.name for sender in list_senders(olive)} >= {"Valid drop"}
    tokens.forget_process()


def list_senders(who: Resident) -> list[DropSender]:
    return services.list_drop_senders(who.open_keyring())


def test_an_export_and_an_import_carry_no_token(
    olive: Resident, made: Tokens, tmp_path: Path, housemate: Resident
) -> None:
    drop_text(made, "Sent to the Inbox.", day=olive.today)
    olive.get("/inbox/")
    olive.keyring = olive.open_keyring()

    diary = export_to_folder(olive, tmp_path / "export")

    files = read_all_files(tmp_path / "export")
    for text in (*made.valid.values(), *made.refused):
        assert text.encode() not in files
        assert parse_token(text).id.hex.encode() not in files
    assert "token" not in repr(sorted(diary)).lower()
    import_file(housemate, tmp_path / "export" / "diary.json", source="Elsewhere")
    assert not AccessToken.objects.filter(owner_id=housemate.id).exists()
    with housemate.unlocked():
        items = {item.body["text"]: item.origin for item in InboxItem.objects.filter(owner_id=housemate.id)}
    assert items.pop("Sent to the Inbox.") in {Origin.IMPORTED, Origin.PROGRAM}
    check(olive, made)


def test_recovery_leaves_what_was_valid_and_revives_nothing(olive: Resident, made: Tokens) -> None:
    drop_text(made, "Sent before the recovery.", day=olive.today)
    olive.post("/sign-out/")
    fields = {"name": "Olive", "code": olive.recovery_code}
    answer = olive.client.post(
        "/recover/", {**fields, "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    )
    assert confirm_code(olive.client, answer).status_code == 302
    olive.password = NEW_PASSWORD
    resume_rotation(olive.open_keyring())

    check(olive, made)

    olive.post("/sign-out/")
    olive.sign_in()
    with in_force(olive.open_keyring()):
        assert [item.body["text"] for item in InboxItem.objects.all()] == ["Sent before the recovery."]


def test_the_end_of_an_account_leaves_nothing_of_its_tokens(olive: Resident, made: Tokens) -> None:
    theirs = make_token(register_resident("Keeper", administrator=True, signed_in=True), TokenKind.DROP)
    drop_text(made, "Sent before the end.", day=olive.today)

    owner = olive.id

    delete_person(olive.person)

    check_refused([*made.valid.values(), *made.refused])
    assert [row.id for row in AccessToken.objects.all()] == [parse_token(theirs).id]
    use_token(theirs)
    with connection.cursor() as cursor:
        names = cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            columns = [column[1] for column in cursor.execute(f"PRAGMA table_info({name})").fetchall()]
            for column in columns:
                found = cursor.execute(
                    f'SELECT count(*) FROM {name} WHERE "{column}" IN (%s, %s)', [owner.hex, str(owner)]
                ).fetchone()
                assert found == (0,), (name, column)
