"""Tests of `up --print-unit`: valid for systemd, without secrets, without side effects."""

import shlex
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from llamora.ops import systemd_unit


def print_unit(**options: Any) -> str:
    said = StringIO()
    call_command("up", print_unit=True, stdout=said, **options)
    return said.getvalue()


def test_the_unit_serves_this_household(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "diary"

    said = print_unit(port=9001, no_model=True)

    command = f'"{sys.executable}" "{settings.BASE_DIR}/manage.py" "up" "--port" "9001"'
    assert f'ExecStart={command} "--host" "127.0.0.1" "--no-model"' in said
    assert f'Environment="LLAMORA_DATA_DIR={tmp_path}/diary"' in said
    assert "LimitCORE=0" in said
    assert "NoNewPrivileges=yes" in said
    assert "SystemCallFilter=@system-service" in said
    assert settings.SECRET_KEY not in said
    assert not (tmp_path / "diary").exists()


def verify_with_systemd(path: Path) -> str:
    """Return systemd's verdict on a unit; empty if it is valid or systemd is absent."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return ""
    own = {"HOME": str(path.parent), "XDG_RUNTIME_DIR": str(path.parent), "PATH": "/usr/bin:/bin"}
    command = [program, "--user", "verify", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, env=own, check=False).stderr
    return "".join(line for line in said.splitlines(keepends=True) if path.name in line)


@pytest.mark.parametrize("name", ["plain", "with space", 'a "quote" and \\', "50% $HOME %h"])
def test_any_folder_can_be_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()

    said = systemd_unit.render_unit(folder=folder, data_dir=folder / "data", arguments=[])

    (tmp_path / "llamora.service").write_text(said)
    (command,) = (line for line in said.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(command.removeprefix("ExecStart=").replace("%%", "%").replace("$$", "$"))
    assert words == [sys.executable, f"{folder}/manage.py", "up"]
    assert verify_with_systemd(tmp_path / "llamora.service") == ""
