"""A script that creates a small household with an earlier commit, and packs it for `test_earlier_commits.py`.

    python tests/upgrade/make_small_household.py COMMIT

Clones this repository at COMMIT into a temporary folder, and lets that commit's own server and test client
make two people: Agnes, with entries, an edited one, an imported one and a draft, and Bruno, with one entry.
Nothing in it expires. Then it stops the server, and writes `small-COMMIT.tar.xz` beside itself: the data
folder without static files, and `expected.json` with secrets and texts. The interpreter must have the
dependencies of that commit.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Run in the clone: the names in it are those of that commit.
MAKE = r"""
import json, os, pathlib, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
import django
django.setup()
from tests.browser_client import Visitor
from tests.server import run_command, run_server
folder = pathlib.Path(sys.argv[1])
extra = {"LLAMORA_REGISTRATION": "open", "LLAMORA_BACKUP_DAILY": "false"}
people = {}
with run_server(folder, extra=extra) as server:
    for name, texts in (
        ("Agnes", ["The heron came back.", "Bread, and rain all day."]),
        ("Bruno", ["Mended the gate."]),
    ):
        browser = Visitor.join(server, name)
        days = {}
        for number, text in enumerate(texts, start=1):
            day = f"2024-01-0{number}"
            answer = browser.post(f"/d/{day}/", script=True, text=text, revision="0")
            assert answer.status == 200, answer.status
            days[day] = [text]
        secrets = {"owner": browser.owner, "password": browser.password, "code": browser.recovery_code}
        people[name] = {**secrets, "days": days}
        if name == "Agnes":
            saved = browser.post("/d/2024-01-03/", script=True, text="First wording.", revision="0")
            entry = saved.entry_ids[0]
            edit = f"/entries/{entry}/edit/"
            answer = browser.post(edit, script=True, text="Second wording.", revision="1")
            assert answer.status == 200, answer.status
            days["2024-01-03"] = ["Second wording."]
            assert browser.save_draft("Not finished yet", day="2024-01-04").status in (200, 204)
            days["2024-01-04"] = ["Not finished yet"]
            (folder / "lines.jsonl").write_text('{"date": "2023-05-05", "text": "An imported line."}\n')
            (folder / "secret").write_text(browser.password + "\n")
            command = ("import_diary", str(folder / "lines.jsonl"), "--user", "Agnes")
            ran = run_command(folder, *command, "--password-file", str(folder / "secret"))
            assert ran.returncode == 0, ran.stdout + ran.stderr
            days["2023-05-05"] = ["An imported line."]
(folder / "expected.json").write_text(json.dumps({"people": people}, indent=1))
"""


def pack(folder: Path, target: Path) -> None:
    """Pack the data folder and the expected values, without what each start makes anew."""
    with tarfile.open(target, "w:xz", preset=9) as tar:
        for path in sorted([*(folder / "data").rglob("*"), folder / "expected.json"]):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not name.startswith(("data/static", "data/search")):
                head = tarfile.TarInfo(name)
                content = path.read_bytes()
                head.size, head.mode = len(content), 0o600
                tar.addfile(head, io.BytesIO(content))


def main() -> None:
    """Make the household with the commit that is named, and pack it."""
    parser = argparse.ArgumentParser(description="Make a small household with an earlier commit.")
    parser.add_argument("commit")
    commit = parser.parse_args().commit
    with tempfile.TemporaryDirectory(prefix="llamora-small-") as name:
        folder, clone = Path(name) / "household", Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        subprocess.run(["git", "checkout", "-q", commit], cwd=clone, check=True)
        if (ROOT / "uv.lock").exists():
            shutil.copy(ROOT / "uv.lock", clone)
        folder.mkdir()
        subprocess.run([sys.executable, "-c", MAKE, str(folder)], cwd=clone, check=True)
        target = HERE / f"small-{commit[:7]}.tar.xz"
        pack(folder, target)
    print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
