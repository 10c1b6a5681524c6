"""A script that creates a household with an earlier commit, and packs it for `test_upgrade.py`. Run once:

    python tests/upgrade/make_household.py COMMIT [--embedder FOLDER]

Clones this repository at COMMIT into a temporary folder, starts that commit's `manage.py up` beside its own
scripted model server, and makes, through pages and commands alone, people with everything a person can have:

    Agnes   the administrator: a key that was rotated, settings of her own, everything a diary can hold
    Bruno   registered with a link; his rotation was interrupted, so that there are rows of both keys
    Clara   is signed in and locked; a late draft waits, sealed to her
    Dora    is disabled

Then it stops the server, takes a backup with `backup` and everybody's export with `export_diary`, and writes
`household-COMMIT.tar.xz` beside itself: the data folder, the backup, the exports, and `expected.json` with
secrets, cookies and values that the exports do not contain. With the folder of an embedder, the household has
search by meaning too.

The pages and tables are those of faa336b, so this script does not follow later renames. It imports nothing of
this tree. The interpreter must have the dependencies of that commit.
"""

import argparse
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOW = datetime.now(UTC)
TODAY = NOW.date()
EMBEDDER = "sentence-transformers/all-MiniLM-L6-v2"
# Told to that commit's model server, line by line; the names in it are those of that commit.
MODEL = """
import json, sys
from tests.fakes.model_server import FakeModelServer, Script
with FakeModelServer() as server:
    print(server.port, flush=True)
    for line in sys.stdin:
        said = json.loads(line)
        if "offer" in said:
            server.offer(Script(tokens=[json.dumps(said["offer"])]))
        elif "fail" in said:
            server.next(Script(status=said["fail"]))
        else:
            server.next(Script(tokens=[word + " " for word in said["say"].split()]))
        print("ok", flush=True)
"""
PASSWORDS = {
    "Agnes": "a heron stands in the mill pond",
    "Bruno": "the bread was still warm at noon",
    "Clara": "seven keys on a ring of brass",
    "Dora": "Grüße aus dem Gewächshaus, 日記",
}


def ago(days: int) -> str:
    """Return the day this number of days before the household was made."""
    return (TODAY - timedelta(days=days)).isoformat()


def until(is_so: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Wait until a call returns a true value, and return the value."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come")
        time.sleep(0.1)
    return found


class House:
    """The clone of the old commit, with its own data folder."""

    def __init__(self, folder: Path, embedder: Path | None) -> None:
        self.clone, self.data = folder / "clone", folder / "clone" / "data"
        self.run = folder / "run"
        self.run.mkdir(mode=0o700)
        self.database = self.data / "llamora.sqlite3"
        self.embedder = (
            {"LLAMORA_SEARCH_MODEL": EMBEDDER, "LLAMORA_SEARCH_MODEL_PATH": str(embedder)} if embedder else {}
        )
        self.log = folder / "server.log"
        self.port, self.set_up = 0, ""

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("LLAMORA_", "DJANGO_"))
        }
        return kept | {"LLAMORA_RUNTIME_DIR": str(self.run), "PYTHONUNBUFFERED": "1"} | extra

    def start(self) -> None:
        """Start the model server, and `up` that asks it."""
        self.model = subprocess.Popen(
            [sys.executable, "-c", MODEL],
            cwd=self.clone,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.model.stdout
        url = f"http://127.0.0.1:{self.model.stdout.readline().strip()}"
        with self.log.open("wb") as log:
            self.up = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", "0"],
                cwd=self.clone,
                env=self.environment(LLAMORA_MODEL_URL=url, LLAMORA_BACKUP_DAILY="false", **self.embedder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        address = until(lambda: re.search(r"http://llamora\.localhost:(\d+)/", self.log.read_text()))
        self.port = int(address[1])
        self.set_up = until(lambda: re.search(r"register/\?set-up=(\S+)", self.log.read_text()))[1]
        until(lambda: b'"model": "ready"' in self._health())

    def _health(self) -> bytes:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            try:
                connection.request("GET", "/healthz/")
                return connection.getresponse().read()
            except OSError:
                return b""

    def tells_model(self, **said: Any) -> None:
        """Set the model's next answer."""
        assert self.model.stdin
        assert self.model.stdout
        self.model.stdin.write(json.dumps(said) + "\n")
        self.model.stdin.flush()
        assert self.model.stdout.readline() == "ok\n"

    def stop(self) -> None:
        for process in (self.up, self.model):
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def manage(self, *arguments: str, may_fail: bool = False, **extra: str) -> str:
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.clone,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if (ran.returncode != 0) is not may_fail:
            raise RuntimeError(f"{arguments} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def secret_file(self, name: str) -> str:
        file = self.run / f"{name}.secret"
        file.write_text(PASSWORDS[name] + "\n")
        return str(file)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as database:
            found = database.execute(statement, values).fetchall()
            database.commit()
        return found

    def one(self, statement: str, *values: Any) -> Any:
        found = self.rows(statement, *values)
        return found[0][0] if found else None


class Browser:
    """A person's browser over HTTP."""

    numbers = count(2)

    def __init__(self, house: House, name: str) -> None:
        self.house, self.name, self.owner, self.code = house, name, "", ""
        self.cookies: dict[str, str] = {}
        self.address = f"127.77.0.{next(self.numbers)}"

    def ask(
        self, method: str, path: str, fields: dict[str, str] | None = None, *, script: bool = False
    ) -> str:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            body = urlencode({"owner": self.owner, **fields}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["X-CSRFToken"] = self.cookies.get("llamora_csrf", "")
        if script:
            headers["HX-Request"] = "true"
        place = ("127.0.0.1", self.house.port)
        with closing(HTTPConnection(*place, timeout=60, source_address=(self.address, 0))) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            self._take(answer)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}:\n{text}")
        return text

    def _take(self, answer: HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value

    def get(self, path: str) -> str:
        return self.ask("GET", path)

    def post(self, path: str, *, script: bool = True, **fields: str) -> str:
        return self.ask("POST", path, fields, script=script)

    def joins(self, **by: str) -> None:
        """Register with a link, and confirm the recovery code."""
        self.get("/sign-in/")
        password = PASSWORDS[self.name]
        fields = {"name": self.name, "password": password, "password_again": password, "time_zone": "UTC"}
        page = self.post("/register/", script=False, **fields, **by)
        code = re.search(r"data-recovery-code[^>]*>(.*?)</p>", page, re.DOTALL)
        assert code
        self.code = "-".join(re.findall(r"<span>(\w{4})</span>", code[1]))
        self.owner = str(UUID(self.house.one("SELECT id FROM accounts_person WHERE name = ?", self.name)))
        self.get("/")

    # --- the diary -----------------------------------------------------------------------------------

    def writes(self, day: str, text: str) -> str:
        self.post(f"/d/{day}/", text=text, key=str(uuid4()), revision="0")
        return str(UUID(self.house.one("SELECT id FROM diary_entry ORDER BY rowid DESC LIMIT 1")))

    def edits(self, entry: str, text: str, *, revision: int) -> None:
        self.post(f"/entries/{entry}/edit/", text=text, revision=str(revision))

    def is_answered(self, entry: str, kind: str, says: str) -> str:
        """Request a reply to an entry and wait for its end."""
        self.house.tells_model(**({"say": says} if says else {"fail": 400}))
        self.post(f"/entries/{entry}/respond/", kind=kind)
        newest = "SELECT id, state FROM diary_reply WHERE entry_id = ? ORDER BY id DESC LIMIT 1"
        reply, _ = until(
            lambda: next(
                (row for row in self.house.rows(newest, UUID(entry).hex) if row[1] in ("done", "failed")),
                None,
            )
        )
        return str(UUID(reply))

    def keeps_trace(self, entry: str, name: str) -> str:
        """Add a trace to an entry, and return its id."""
        self.post(f"/entries/{entry}/traces/keep/", name=name)
        kept = "SELECT trace_id FROM traces_kepttrace WHERE entry_id = ? ORDER BY id DESC LIMIT 1"
        return str(UUID(self.house.one(kept, UUID(entry).hex)))

    def has_proposed(self, entry: str, names: Iterable[str], *, dismisses: str) -> None:
        self.house.tells_model(offer={"emoji": "🔧", "traces": list(names)})
        self.post(f"/entries/{entry}/traces/propose/")
        row = "SELECT 1 FROM traces_proposal WHERE entry_id = ?"
        until(lambda: self.house.one(row, UUID(entry).hex))
        self.post(f"/entries/{entry}/traces/dismiss/", pick=dismisses)

    def has_opened(self, day: str, says: str) -> None:
        self.house.tells_model(say=says)
        self.post(f"/d/{day}/opening/", again="1")
        row = "SELECT 1 FROM diary_opening WHERE owner_id = ? AND day = ?"
        until(lambda: self.house.one(row, UUID(self.owner).hex, day))

    def has_put_in_short(self, day: str, says: str) -> None:
        self.house.tells_model(say=says)
        self.post(f"/d/{day}/recap/", asked="1")
        row = "SELECT 1 FROM diary_recap WHERE owner_id = ? AND day = ?"
        until(lambda: self.house.one(row, UUID(self.owner).hex, day))

    def has_summed_up(self, trace: str, says: str) -> None:
        self.house.tells_model(say=says)
        self.post(f"/traces/{trace}/summary/")
        row = "SELECT 1 FROM traces_trace WHERE id = ? AND summary IS NOT NULL"
        until(lambda: self.house.one(row, UUID(trace).hex))

    def turns_key(self) -> None:
        self.post("/settings/key/", script=False, current=PASSWORDS[self.name])
        row = "SELECT 1 FROM accounts_formerkey WHERE owner_id = ?"
        until(lambda: self.house.one(row, UUID(self.owner).hex) is None)


# --- The people --------------------------------------------------------------------------------------


def agnes_lives(agnes: Browser) -> None:
    """Create every kind of row, before and after a rotation."""
    lines = agnes.house.run / "lines.jsonl"
    lines.write_text(
        json.dumps({"date": ago(365), "text": "Last year the weir was frozen, and we skated home."})
    )
    agnes.house.manage(
        *("import_diary", str(lines), "--user", "Agnes", "--password-file", agnes.house.secret_file("Agnes"))
    )
    fog = agnes.writes(ago(26), "Fog over the marsh.\n\nThe kingfisher came back, and *nobody* else saw it.")
    agnes.writes(ago(26), "Grüße, 日記 🌙: e\u0301 stays as it was typed.")
    mended = agnes.writes(ago(26), "Mended the gaet.")
    agnes.edits(mended, "Mended the gate.", revision=1)
    agnes.turns_key()
    agnes.edits(mended, "Mended the gate with copper wire.", revision=2)
    moved = agnes.writes(ago(25), "This belongs to another day: walnuts from the neighbour.")
    agnes.post(f"/entries/{moved}/move/", day=ago(13))
    gone = agnes.writes(ago(13), "Thrown away: an angry paragraph about the chimney.")
    tune = agnes.writes(ago(13), "The organist practised a slow tune all evening.")
    now = agnes.writes(ago(0), "Today the river is high, and the cellar stays dry.")
    agnes_is_answered(agnes, fog=fog, tune=tune)
    agnes_keeps_traces(agnes, fog=fog, mended=mended, tune=tune, now=now)
    # Before there is an opening: one that had read it would not be found any more.
    agnes.post(f"/entries/{gone}/delete/")
    agnes.has_put_in_short(ago(26), "A day of fog, and of a gate mended.")
    agnes.has_opened(ago(13), "An opening that was not wanted.")
    agnes.post(f"/d/{ago(13)}/opening/dismiss/")
    agnes.has_opened(ago(0), "The last days were quiet, with music in them.")
    agnes.post(f"/d/{ago(0)}/draft/", text="Not yet kept: the ferryman said", revision="0")
    agnes.post(
        f"/d/{ago(26)}/draft/",
        text="Fog over the marsh, still unfinished",
        revision="0",
        entry=fog,
        based_on="1",
    )
    agnes_chooses(agnes)


def agnes_is_answered(agnes: Browser, *, fog: str, tune: str) -> None:
    wish = "Answer as an old friend would, in two sentences."
    agnes.post(f"/entries/{fog}/ways/", script=False, name="Like a friend", wish=wish)
    way = str(UUID(agnes.house.one("SELECT id FROM diary_ownkind")))
    agnes.is_answered(fog, "respond", "A kingfisher in fog is a rare sight; enjoy it.")
    agnes.is_answered(fog, "reflect", "You were glad to be the one who saw it.")
    agnes.is_answered(fog, way, "Old friend, that bird waited for you.")
    agnes.is_answered(tune, "question", "Which tune was it?")
    agnes.is_answered(tune, "summary", "The organist practised in the evening.")
    agnes.is_answered(tune, "respond", "")


def agnes_keeps_traces(agnes: Browser, *, fog: str, mended: str, tune: str, now: str) -> None:
    river = agnes.keeps_trace(fog, "the river")
    agnes.keeps_trace(now, "The River")
    agnes.keeps_trace(mended, "Größe")
    agnes.keeps_trace(tune, "🎵")
    named = agnes.keeps_trace(tune, "musik")
    agnes.post(f"/traces/{named}/rename/", script=False, name="music")
    merged = agnes.keeps_trace(now, "water")
    agnes.keeps_trace(tune, "water")
    agnes.post(f"/traces/{merged}/merge/", script=False, into=river)
    let_go = agnes.keeps_trace(fog, "mist")
    agnes.post(f"/traces/{let_go}/delete/", script=False)
    agnes.post(f"/traces/{river}/always/", script=False, wanted="on")
    agnes.has_proposed(mended, ["copper work", "repairs"], dismisses="repairs")
    agnes.has_summed_up(river, "The river comes up with fog and with high water.")


def agnes_chooses(agnes: Browser) -> None:
    agnes.post("/search/", q="kingfisher", submitted="1")
    agnes.post("/search/", q='"slow tune"', submitted="1")
    agnes.post("/search/for-answers/", script=False, recalls="off")
    agnes.post("/openings/", script=False, openings="off")
    agnes.post("/traces/choices/", script=False, want="off")
    agnes.post("/settings/", script=False, **CHOSEN)
    # Where the server offers one model alone, the page has no field for it.
    agnes.house.rows("UPDATE accounts_person SET model = 'another-model' WHERE name = 'Agnes'")


CHOSEN = {
    "shown_name": "Agnes of the Mill",
    "time_zone": "Europe/Vienna",
    "week_start": "6",
    "language": "de",
    "clock": "12",
    "enter_keeps": "True",
    "single_keys": "False",
    "theme": "dark",
    "text_size": "larger",
    "idle_minutes": "240",
}


def bruno_lives(bruno: Browser) -> None:
    first = bruno.writes(ago(9), "Baked rye bread; the first loaf burned.")
    bruno.edits(first, "Baked rye bread; the first loaf burnt.", revision=1)
    bruno.writes(ago(8), "The baker asked for the sourdough.")
    bruno.is_answered(first, "respond", "The second loaf is always better.")
    bruno.keeps_trace(first, "bread")
    bruno.has_opened(ago(7), "You baked on the days before.")
    bruno.post(f"/d/{ago(7)}/draft/", text="Flour to be bought", revision="0")
    bruno.post("/search/recent/", script=False, do="off")


def brunos_rotation_breaks_off(house: House) -> None:
    """Make the database refuse the rotation when it reaches the replies."""
    house.rows(
        "CREATE TRIGGER breaks_off BEFORE UPDATE OF text ON diary_reply "
        "BEGIN SELECT RAISE(ABORT, 'broken off'); END"
    )
    house.manage("rotate_dek", "Bruno", "--password-file", house.secret_file("Bruno"), may_fail=True)
    house.rows("DROP TRIGGER breaks_off")
    epochs = {
        table: house.one(
            f"SELECT max(substr(hex(text), 3, 8)) FROM {table} t JOIN accounts_person p ON p.id = t.owner_id "
            "WHERE p.name = 'Bruno'"
        )
        for table in ("diary_entry", "diary_reply")
    }
    assert epochs == {"diary_entry": "00000002", "diary_reply": "00000001"}, epochs
    assert house.one("SELECT count(*) FROM accounts_formerkey") == 1


def clara_lives(clara: Browser) -> None:
    clara.writes(ago(4), "The choir sang without me.")
    clara.writes(ago(3), "A letter from Lisbon, at last.")
    clara.post("/lock/")
    clara.post(f"/d/{ago(2)}/draft/", text="Typed on after the lock: dear Lisbon", revision="0")
    assert clara.house.one("SELECT count(*) FROM diary_latedraft") == 1


def invited(agnes: Browser) -> str:
    """Return the token of an invitation, created by the administrator."""
    page = agnes.post("/admin/accounts/invitation/add/", script=False)
    link = re.search(r"register/\?[\w-]+=([\w-]+)", page)
    assert link
    return link[1]


def people_live(house: House) -> dict[str, Any]:
    agnes, bruno, clara, dora = (Browser(house, name) for name in PASSWORDS)
    agnes.joins(token=house.set_up)
    for person in (bruno, clara, dora):
        person.joins(invite=invited(agnes))
    agnes_lives(agnes)
    bruno_lives(bruno)
    clara_lives(clara)
    dora.writes(ago(5), "Planted garlic before the frost.")
    house.manage("users", "--disable", "Dora")
    house.manage("invite")
    house.manage("reindex", "Agnes", "--password-file", house.secret_file("Agnes"), **house.embedder)
    return {
        "invitation": invited(agnes),
        "people": {
            person.name: {"id": person.owner, "password": PASSWORDS[person.name], "code": person.code}
            for person in (agnes, bruno, clara, dora)
        },
        "locked": {"name": "Clara", "cookies": clara.cookies, "late": "Typed on after the lock: dear Lisbon"},
        "settings": CHOSEN,
    }


# --- Packing -----------------------------------------------------------------------------------------


def counts(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as opened:
        names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names}


def packed(house: House, expected: dict[str, Any], target: Path) -> None:
    """Create the backup, and the exports from a copy, since an export merges late drafts."""
    house.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    # The settings of the moment are in it too: none that names a place of this machine.
    house.manage("backup", LLAMORA_RUNTIME_DIR="/dev/shm")
    expected |= {"made_at": NOW.isoformat(), "rows": counts(house.database)}
    kept = house.data.with_name("kept")
    shutil.copytree(house.data, kept)
    (house.clone / "exports").mkdir()
    house.manage("users", "--enable", "Dora")
    for name in PASSWORDS:
        secret = house.secret_file(name)
        house.manage(
            "export_diary", name, "--password-file", secret, "--to", str(house.clone / "exports" / name)
        )
    for gone in ("static", "lock", "models"):
        path = kept / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (kept / "backups").rename(house.clone / "backups")
    folders = {"data": kept, "backups": house.clone / "backups", "exports": house.clone / "exports"}
    files = {
        f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    files["expected.json"] = json.dumps(expected, ensure_ascii=False, indent=1).encode()
    for name, content in files.items():
        for place in (str(ROOT), tempfile.gettempdir() + "/"):
            assert place.encode() not in content, f"{name} says where it was made"
    with tarfile.open(target, "w:xz", preset=9) as tar:
        for name, content in files.items():
            _add(tar, name, content)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    head = tarfile.TarInfo(name)
    head.size, head.mode, head.mtime = len(content), 0o600, int(NOW.timestamp())
    tar.addfile(head, io.BytesIO(content))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a household with an earlier commit, and pack it.")
    parser.add_argument("commit")
    parser.add_argument("--embedder", type=Path, help=f"the folder of {EMBEDDER}'s files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llamora-household-") as folder:
        house = House(Path(folder), options.embedder and options.embedder.resolve())
        subprocess.run(["git", "clone", "-q", str(ROOT), str(house.clone)], check=True)
        subprocess.run(["git", "checkout", "-q", options.commit], cwd=house.clone, check=True)
        house.start()
        try:
            expected = people_live(house)
        finally:
            house.stop()
        brunos_rotation_breaks_off(house)
        target = HERE / f"household-{options.commit[:7]}.tar.xz"
        packed(house, expected, target)
    print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
