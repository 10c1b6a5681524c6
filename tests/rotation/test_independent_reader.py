"""Tests that the documentation and libsodium suffice to open a diary without this program."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.models import KeySlot, SlotKind
from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from tests.people import Resident

READER = Path(__file__).with_name("independent_reader.py")


def run_reader(secret: str, *, name: str = "Olive") -> subprocess.CompletedProcess[str]:
    """Run the independent reader in a folder without the project."""
    return subprocess.run(
        [sys.executable, "-I", str(READER), str(connection.settings_dict["NAME"]), name],
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def read_diary(secret: str) -> dict[str, Any]:
    ran = run_reader(secret)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_it_uses_nothing_of_the_project() -> None:
    tree = ast.parse(READER.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    others = {str(module).split(".")[0] for module in imported} - sys.stdlib_module_names
    assert others == {"argon2", "nacl"}


def test_it_opens_a_diary_with_the_password(owner: Resident) -> None:
    found = read_diary(owner.password)

    assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())
    assert found["entries"][1]["day"] == "2026-01-02"
    assert [draft["text"] for draft in found["drafts"]] == [f"Draft {n}" for n in range(0, 12, 3)]
    assert [reply["text"] for reply in found["replies"]] == [f"Reply {n}" for n in range(0, 12, 2)]


def test_it_opens_a_diary_with_the_recovery_code(owner: Resident) -> None:
    typed = owner.recovery_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert [entry["text"] for entry in read_diary(typed)["entries"]] == list(owner.written.values())


def test_it_opens_a_diary_half_way_through_a_rotation(owner: Resident) -> None:
    begin_rotation(owner.open_slot())
    owner.write_many(1)
    assert owner.list_epochs() == {1, 2}

    found = read_diary(owner.password)

    assert found["epoch"] == 2
    assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())


def test_it_opens_a_diary_after_a_rotation(owner: Resident) -> None:
    rotation_services.resume_rotation(begin_rotation(owner.open_slot()).keyring)

    for secret in (owner.password, owner.recovery_code):
        found = read_diary(secret)
        assert found["epoch"] == 2
        assert [entry["text"] for entry in found["entries"]] == list(owner.written.values())


def test_it_is_refused_by_a_wrong_secret_and_by_a_forged_slot(owner: Resident) -> None:
    wrong = run_reader("not this one at all")
    KeySlot.objects.filter(id=owner.get_slot(SlotKind.PASSWORD).id).update(mac=bytes(32))
    planted = run_reader(owner.password)

    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "wrong secret" in wrong.stderr
    assert (planted.returncode, planted.stdout) == (1, "")
    assert "planted box" in planted.stderr
