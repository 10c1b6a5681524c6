"""Tests of a command that writes beside the running server: neither loses data."""

import json
import subprocess
import sys
from pathlib import Path

from tests.browser_client import Visitor
from tests.losses.savers import Saver, run_savers
from tests.server import ROOT, run_server

# More than one transaction of an import.
LINES, FILES = 600, 2


def write_diary(folder: Path, number: int) -> Path:
    path = folder / f"diary{number}.jsonl"
    lines = ({"date": f"200{number}-01-{1 + line % 28:02}", "text": f"Line {line}"} for line in range(LINES))
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def test_imports_and_saves_at_once_all_arrive(tmp_path: Path, household_settings: dict[str, str]) -> None:
    with run_server(tmp_path, extra=household_settings) as server:
        olive = Visitor.join(server, "Olive")
        (secret := tmp_path / "password").write_text(olive.password)
        savers = [Saver(olive.copy(), tab=f"2011-01-0{tab}") for tab in (1, 2)]

        with run_savers(savers):
            commands = [
                subprocess.Popen(
                    [
                        *(sys.executable, "manage.py", "import_diary", str(write_diary(tmp_path, number))),
                        *("--user", "Olive", "--password-file", str(secret)),
                    ],
                    cwd=ROOT,
                    env=server.environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
                for number in range(FILES)
            ]
            said = [command.communicate(timeout=60)[0].decode() for command in commands]

        assert [f"Imported {LINES:,};" in words for words in said] == [True] * FILES
        for saver in savers:
            assert not saver.refused
            assert not saver.unanswered
        assert sorted(olive.list_texts()) == sorted(save.text for saver in savers for save in saver.confirmed)
        for number in range(FILES):
            per_day = len(olive.get(f"/d/200{number}-01-01/").entry_ids)
            assert per_day == len(range(0, LINES, 28))
