"""Tests of the commands for keys: each requires a secret, and prints only counts."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.keys import former_keys
from accounts.models import KeySlot, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary.models import Entry
from tests.people import Resident


def run_command(command: str, *arguments: str, secret: str, tmp_path: Path) -> tuple[str, str]:
    """Run a command with its secret in a file; return its output and error output."""
    file, out, err = tmp_path / "secret", io.StringIO(), io.StringIO()
    file.write_text(f"{secret}\n")
    call_command(command, *arguments, password_file=file, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("by", [SlotKind.PASSWORD, SlotKind.RECOVERY])
def test_rotate_dek_takes_either_secret(owner: Resident, by: SlotKind, tmp_path: Path) -> None:
    secret = owner.password if by == SlotKind.PASSWORD else owner.recovery_code.lower()

    said, _ = run_command("rotate_dek", "Olive", "--verify", secret=secret, tmp_path=tmp_path)

    assert owner.list_epochs() == {2}
    assert owner.read_all() == owner.written
    assert "The old key is destroyed." in said
    assert "All of them can be decrypted." in said
    assert "Entry" not in said


def test_rotate_dek_asks_at_the_terminal(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return owner.password

    monkeypatch.setattr("getpass.getpass", answer)
    call_command("rotate_dek", "olive", stdout=io.StringIO())

    assert asked == ["Password or recovery code of Olive: "]
    assert owner.list_epochs() == {2}


def test_rotate_dek_goes_on_with_what_was_broken_off(owner: Resident, tmp_path: Path) -> None:
    begin_rotation(owner.open_slot())

    said, _ = run_command("rotate_dek", "Olive", secret=owner.password, tmp_path=tmp_path)

    assert "was stopped" in said
    assert owner.list_epochs() == {2}


def test_rotate_dek_names_a_slot_that_was_given_nothing(owner: Resident, tmp_path: Path) -> None:
    planted = owner.get_slot(SlotKind.RECOVERY)
    KeySlot.objects.filter(id=planted.id).update(mac=bytes(32))

    _, complained = run_command("rotate_dek", "Olive", secret=owner.password, tmp_path=tmp_path)

    assert f"A way to unlock (recovery, {planted.id}) no longer works" in complained


def test_rotate_dek_destroys_the_old_key_although_a_row_is_damaged(owner: Resident, tmp_path: Path) -> None:
    first, second = list(Entry.objects.filter(owner_id=owner.id).order_by("id"))[:2]
    with connection.cursor() as cursor:
        swapped = [second.__dict__["text"].envelope, first.id.hex]
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", swapped)

    said, complained = run_command("rotate_dek", "Olive", secret=owner.password, tmp_path=tmp_path)

    assert "The old key is destroyed." in said
    assert f"diary.entry.text of {first.id} can't be decrypted: not_authentic." in complained
    assert "1 value can't be decrypted, and stayed as before" in complained
    assert not rotation_services.is_rotation_unfinished(owner.open_keyring())


def test_rotate_dek_keeps_an_old_key_that_cannot_be_read(owner: Resident, tmp_path: Path) -> None:
    begin_rotation(owner.open_slot())
    former_keys.destroy_files(owner.id)

    with pytest.raises(CommandError, match="rows need an old key that can't be read"):
        run_command("rotate_dek", "Olive", secret=owner.password, tmp_path=tmp_path)
    assert rotation_services.is_rotation_unfinished(owner.open_keyring())
    arguments = ("rotate_dek", "Olive", "--leave-damaged")
    run_command(*arguments, secret=owner.password, tmp_path=tmp_path)

    assert not rotation_services.is_rotation_unfinished(owner.open_keyring())


@pytest.mark.parametrize(
    ("name", "secret", "sentence"),
    [
        ("Nobody", "whatever it is", "Nobody in this household has that name."),
        ("Olive", "not this one at all", "Wrong name or password"),
    ],
)
def test_a_refusal_is_a_sentence(
    owner: Resident, name: str, secret: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run_command("rotate_dek", name, secret=secret, tmp_path=tmp_path)

    assert owner.list_epochs() == {1}
