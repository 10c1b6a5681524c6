"""Tests that text from every input, and from the model, is found only on pages of its owner."""

import io
import json
import re
import socket
import zipfile
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.browser_client import FORM_TYPE, PASSWORD, BrowserResponse, Visitor
from tests.fakes.script import Script
from tests.fakes.waiting import wait_for
from tests.leaks.encodings import build_marker_for, get_core, new_marker
from tests.leaks.household import DAY, AttackedHouse, find_id_between, find_trace_id, get_reply
from tests.leaks.sweep import Place, list_dump_values, list_household_places, sweep
from tests.page import get_returned_text, read
from tests.server import Server, run_command

MULTIPART = "multipart/form-data; boundary=edge"


class Writer:
    """A person who enters a marker into every field."""

    def __init__(self, house: AttackedHouse, name: str) -> None:
        self.house, self.marker = house, new_marker()
        self.who = Visitor.join(house.server, name)

    def build_marker(self, where: str) -> str:
        return build_marker_for(self.marker, where)

    def write_diary(self) -> None:
        who = self.who
        kept = who.write(self.build_marker("kept"))
        edit = {"text": self.build_marker("edited"), "revision": "1"}
        assert who.post(f"/entries/{kept}/edit/", script=True, **edit).status == 200
        gone = who.write(self.build_marker("deleted") * 300)
        assert who.post(f"/entries/{gone}/delete/", script=True).status == 200
        assert who.save_draft(self.build_marker("draft"), day=DAY).status == 200
        assert who.save_draft(self.build_marker("draft-of-entry"), entry=kept).status == 200
        # Refused ones: too long, not text, to come, in conflict; by script and by form.
        for text, day in (
            (self.build_marker("long") * 9000, DAY),
            (self.build_marker("nul") + "\0", DAY),
            (self.build_marker("to-come"), "2999-01-01"),
        ):
            for script in (True, False):
                assert who.post(f"/d/{day}/", script=script, text=text).status == 422
        assert who.save_draft(self.build_marker("conflict"), day=DAY, revision=0).status == 409
        assert (
            who.post(
                f"/entries/{kept}/edit/", text=self.build_marker("conflict-of-entry"), revision="1"
            ).status
            == 409
        )

    def type_while_locked(self) -> None:
        who = self.who
        assert who.post("/lock/").status == 302
        assert who.save_draft(self.build_marker("late"), day="2026-03-06").status == 200
        assert who.save(self.build_marker("kept-while-locked")).status == 401
        assert who.post(f"/d/{DAY}/", text=self.build_marker("kept-by-form-while-locked")).status == 401
        assert who.unlock(self.build_marker("wrong-password")).status == 422
        assert who.unlock().status == 302
        assert self.build_marker("late") in get_returned_text(who.get("/d/2026-03-06/"))

    def get_reply(self) -> None:
        model = self.house.model
        entry = self.who.write(self.build_marker("asked"))
        model.add_scripts(
            Script(tokens=[self.build_marker("reply"), " and on"], thoughts=[self.build_marker("thought")]),
            Script(tokens=["<think>", self.build_marker("inline-thought"), "</think>", "Well."]),
        )
        for _ in range(2):
            get_reply(self.who, entry)
        model.add_scripts(
            Script(status=500, error=self.build_marker("error")),
            Script(
                tokens=[self.build_marker("before-error")],
                error_after=1,
                error=self.build_marker("late-error"),
            ),
            Script(tokens=[self.build_marker("before-malformed")], malformed_after=1),
            Script(raw=f"data: {self.build_marker('malformed')}\n\n".encode()),
            Script(tokens=["Well."], finish_reason=self.build_marker("finish")),
        )
        for _ in range(5):
            get_reply(self.who, entry)

    def add_traces(self) -> None:
        who = self.who
        # Only words of the entry are offered.
        traces = [self.build_marker("offered"), self.build_marker("too")]
        entry = who.write(" ".join([self.build_marker("traced"), *traces]))
        here = f"/entries/{entry}/traces"
        kept = who.post(f"{here}/keep/", script=True, name=self.build_marker("trace"))
        trace = find_trace_id(kept)
        assert who.post(f"{here}/complete/", script=True, name=self.build_marker("tr")[:12]).status == 200
        assert who.post(f"{here}/dismiss/", script=True, pick=self.build_marker("unwanted")).status == 200
        for name in (self.build_marker("long") * 3, self.build_marker("control") + "\x07"):
            for script in (True, False):
                assert who.post(f"{here}/keep/", script=script, name=name).status == 422
        assert who.post(f"/traces/{trace}/rename/", name=self.build_marker("renamed")).status == 302
        answer = json.dumps({"emoji": "☕", "traces": traces}, ensure_ascii=False)
        self.house.model.add_json_scripts(Script(tokens=[answer]))
        page = who.post(f"{here}/propose/", script=True)
        while "Looking for traces" in page.body:
            page = who.fetch(f"{here}/propose/")
        assert self.build_marker("offered")[:20] in page.body
        self.view_trace(trace)

    def view_trace(self, trace: str) -> None:
        """Open all pages of a trace, filter for it, summarize it, and rename it to invalid names."""
        who, there = self.who, f"/traces/{trace}/"
        for script in (True, False):
            assert who.post("/traces/", script=script, typed=self.build_marker("filtered")).status == 200
            assert (
                who.post(f"{there}rename/", script=script, name=self.build_marker("refused") * 3).status
                == 422
            )
        self.house.model.add_scripts(Script(tokens=[self.build_marker("summed-up")]))
        page = who.post(f"{there}summary/", script=True)
        while "hx-trigger" in page.body:
            page = who.fetch(f"{there}summary/")
        assert self.build_marker("summed-up")[:20] in page.body
        for path in ("/traces/", there, "/traces/picture/"):
            assert self.build_marker("renamed")[:20] in who.get(path).body
        assert who.post(f"{there}merge/", into=self.build_marker("nowhere")).status == 422

    def add_notes(self) -> None:
        """Write and edit a note, begin another one, refuse some, and import a workspace."""
        who = self.who
        name, text = self.build_marker("note-name")[:40], self.build_marker("note")
        added = who.post("/notes/new/reference/", note_name=name, text=text, revision="0")
        assert added.status == 302
        path = urlsplit(added.headers["location"]).path
        assert who.post(f"{path}edit/", text=self.build_marker("edited-note"), revision="1").status == 302
        refused = {"path": f"../{name}", "revision": "2"}
        assert who.submit(f"{path}rename/", refused).status == 422
        draft = {"note_name": name, "text": self.build_marker("note-draft"), "revision": "0"}
        assert who.post("/notes/new/reference/draft/", script=True, **draft).status == 200
        assert text[:20] in who.get(f"{path}versions/").body
        files = {f"knowledge/{self.build_marker('file')[:40]}.md": self.build_marker("came-in")}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for file, content in files.items():
                archive.writestr(file, content)
        shown = self.upload("/notes/import/", f"{self.build_marker('zip')[:40]}.zip", out.getvalue())
        (waiting,) = re.findall(r'name="waiting" value="([0-9a-f-]{36})"', shown.body)
        assert who.post("/notes/import/", waiting=waiting).status == 200

    def upload(self, path: str, name: str, data: bytes) -> BrowserResponse:
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        owner = f'--edge\r\nContent-Disposition: form-data; name="owner"\r\n\r\n{self.who.owner}\r\n'
        body = owner.encode() + head.encode() + data + b"\r\n--edge--\r\n"
        token = {"X-CSRFToken": self.who.cookies["llamora_csrf"]}
        return self.who.request("POST", path, body, {**token, "Content-Type": MULTIPART})

    def add_facts(self) -> None:
        """Add a fact, correct and forget some, and let the model suggest two, of which one is declined."""
        who = self.who
        for name, what in (("Anna", "fact"), ("Eva", "forgotten-fact")):
            added = who.post("/facts/add/", text=f"{name} likes {self.build_marker(what)}")
            assert added.status == 302
            path = urlsplit(added.headers["location"]).path
            corrected = f"{name} likes {self.build_marker(f'corrected-{what}')}"
            assert who.post(f"{path}correct/", text=corrected).status == 302
        assert who.post(f"{path}forget/").status == 302
        assert who.post("/facts/add/", text=self.build_marker("long") * 30).status == 422
        assert who.post("/facts/", typed=self.build_marker("typed")).status == 200
        self.suggest_facts()
        entry = who.write(f"Again {self.build_marker('corrected-fact')} all day.")
        self.house.model.add_scripts(Script(tokens=["Well."]))
        get_reply(who, entry)

    def suggest_facts(self) -> None:
        who, dog, boat = self.who, self.build_marker("dog"), self.build_marker("boat")
        entry = who.write(f"I have a dog called {dog}. I have a boat called {boat}.")
        claims = [
            {
                "quote": f"I have a {kind} called {name}",
                "fact": f"You have a {kind} called {name}",
                "kind": "",
            }
            for kind, name in (("dog", dog), ("boat", boat))
        ]
        self.house.model.add_json_scripts(Script(tokens=[json.dumps({"facts": claims}, ensure_ascii=False)]))
        page = who.post(f"/entries/{entry}/facts/find/", script=True)
        while "hx-trigger" in page.body:
            page = who.fetch(f"/entries/{entry}/facts/find/")
        assert dog[:20] in page.body
        assert boat[:20] in page.body
        suggested = find_id_between("/facts/", "/decline/", page)
        assert who.post(f"/facts/{suggested}/decline/", script=True).status == 200

    def check_in(self) -> None:
        """Let the model propose two texts for a standing request, and refuse choices about check-ins."""
        who, asked = self.who, self.build_marker("request")
        text, quote = self.build_marker("proposal"), f"The {self.build_marker('quoted')} grows"
        who.write(f"{quote}.")
        added = who.post("/notes/new/requests/", text=f"- [ ] Ask me about {asked}\n", revision="0")
        assert added.status == 302
        proposals = [
            {"request": 1, "text": text, "quotes": [quote]},
            {"request": 1, "text": f"Again {text}", "quotes": []},
        ]
        answer = json.dumps({"nothing": False, "proposals": proposals}, ensure_ascii=False)
        self.house.model.add_json_scripts(Script(tokens=[answer]))
        assert who.post("/check-ins/now/").status == 302
        wait_for(lambda: "Dismiss" in who.get("/check-ins/").body)
        page = who.get("/check-ins/")
        assert text[:20] in page.body
        accepted = find_id_between("/check-ins/proposals/", "/entry/", page)
        assert who.post(f"/check-ins/proposals/{accepted}/entry/").status == 302
        assert who.post("/check-ins/", start=asked, end=asked, interval=asked, on="on").status == 422

    def ask_and_look_back(self) -> None:
        """Ask a question and another, name and refuse some, and let the model write a look-back."""
        who, name = self.who, self.build_marker("met")
        who.write(f"Met {name} at the weir.", day=DAY)
        self.house.model.add_scripts(Script(tokens=[self.build_marker("answer"), " [1]."]))
        asked = who.post("/ask/", text=f"Where did I meet {name}?")
        assert asked.status == 302
        path = urlsplit(asked.headers["location"]).path
        wait_for(lambda: f"{get_core(self.marker)}-answer" in who.get(path).body)
        self.house.model.add_scripts(Script(tokens=[self.build_marker("claim-without-source")]))
        assert who.post(path, text=f"And {self.build_marker('asked-again')}?").status == 302
        wait_for(lambda: "The model named no source" in who.get(path).body)
        assert who.post(f"{path}name/", text=self.build_marker("conversation")).status == 302
        assert who.post(f"{path}name/", text=self.build_marker("long") * 9).status == 422
        assert who.post("/ask/", text=self.build_marker("long") * 90).status == 422
        self.house.model.add_scripts(Script(tokens=[self.build_marker("look-back")]))
        week = "/look-back/week/2026-03-02/"
        assert who.post(week).status == 302
        wait_for(lambda: f"{get_core(self.marker)}-look-back" in who.get(week).body)

    def refuse_hosts(self) -> None:
        """Try to agree to a machine that is not the model's, and to save a key for it."""
        path = "/settings/other-machines/"
        sent = {"host": self.build_marker("host"), "key": self.build_marker("api-key")}
        for act in ("agree", "save_key", self.build_marker("act")):
            assert self.who.post(path, act=act, **sent).status == 422

    def use_sign_in_pages(self) -> None:
        stranger = self.house.stranger
        stranger.name = self.build_marker("unknown-name")
        assert stranger.sign_in(password=self.build_marker("wrong-password")).status == 422
        long = self.build_marker("new-password")
        joining = {"name": self.build_marker("refused"), "password": long, "password_again": long + "x"}
        assert stranger.post("/register/", **joining, time_zone=self.build_marker("zone")).status == 422
        assert stranger.post("/strength/", password=long, name=self.build_marker("name")).status == 200
        recovery = {
            "name": self.who.name,
            "code": self.build_marker("code"),
            "password": long,
            "password_again": long,
        }
        assert stranger.post("/recover/", **recovery).status == 422
        assert stranger.post("/d/2026-03-05/", text=self.build_marker("stranger")).status in (401, 409)
        chosen = {
            "time_zone": self.build_marker("zone"),
            "theme": self.build_marker("theme"),
            "week_start": self.build_marker("week"),
        }
        assert (
            self.who.post("/settings/", shown_name="A" * 65 + self.build_marker("x"), **chosen).status == 422
        )
        groups = {
            "group_a": self.build_marker("group"),
            "group_b": "",
            "carried": self.build_marker("carried"),
        }
        assert self.who.post("/recovery-kept/", **groups).status == 410

    def visit_wrong_urls(self) -> None:
        quoted = get_core(self.marker)
        for path in (
            "/",
            f"/d/{DAY}/",
            "/sign-in/",
            "/settings/",
            "/nowhere/",
            "/static/css/app.css",
            "/healthz",
        ):
            self.who.get(f"{path}?q={quoted}-query&next=/{quoted}-next&deleted={quoted}")
            self.house.stranger.get(f"{path}?q={quoted}-query")
        hint = {"Referer": f"{self.who.server.base_url}/{quoted}-referer", "User-Agent": f"{quoted}-agent"}
        strange = {
            "HX-Current-URL": f"/{quoted}-hx",
            "X-Requested-With": f"{quoted}-with",
            "Accept-Language": quoted,
        }
        self.who.get("/", **hint, **strange, **{"X-Forwarded-For": quoted, "Range": quoted})
        newcomer = self.who.another()
        newcomer.cookies = {"other": f"{quoted}-cookie", "llamora_session": f"{quoted}-session"}
        newcomer.get("/", **hint)
        newcomer.request("GET", "/sign-in/")
        newcomer.request("POST", "/sign-in/", b"", {**hint, "Content-Type": FORM_TYPE})

    def send_unexpected_requests(self) -> None:
        words = self.build_marker("body").encode()
        token = {"X-CSRFToken": self.who.cookies["llamora_csrf"], "HX-Request": "true"}
        part = b'--edge\r\nContent-Disposition: form-data; name="text"; filename="' + words + b'"\r\n\r\n'
        for kind, body in (
            (FORM_TYPE, b"text=" + words * 200_000),
            (FORM_TYPE, b"&".join(b"a%d=" % n + words for n in range(1500))),
            (FORM_TYPE, b"text=%zz%ff" + words),
            (MULTIPART, part + words * 9000 + b"\r\n--edge--\r\n"),
            (MULTIPART, part + words),
            (MULTIPART, words),
            (MULTIPART.replace("edge", words.decode("latin-1")[:9]), words * 9),
            ("application/json", b'{"text": "' + words),
            ("text/plain; charset=" + get_core(self.marker), words),
            ("", words),
        ):
            for method, path in (
                ("POST", f"/d/{DAY}/"),
                ("POST", f"/d/{DAY}/draft/"),
                ("PUT", "/"),
                ("POST", "/strength/"),
            ):
                with suppress(OSError, HTTPException):
                    answer = self.who.request(method, path, body, {**token, "Content-Type": kind})
                    assert answer.status < 500, f"{method} {path} of {kind} answered {answer.status}"

    def send_broken_requests(self) -> None:
        words = self.build_marker("raw").encode()
        cookie = f"Cookie: llamora_session={self.who.cookies['llamora_session']}\r\n".encode()
        post = b"POST /d/2026-03-05/ HTTP/1.1\r\nHost: localhost\r\n" + cookie
        for sent in (
            post + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(words), words),
            post + b"Transfer-Encoding: chunked\r\n\r\n" + words,
            post + b"Content-Length: 900\r\n\r\ntext=" + words,
            post + b"Content-Length: " + words + b"\r\n\r\n" + words,
            b"GET /" + words + b" HTTP/9\r\n\r\n",
            words + b"\r\n\r\n",
            post + words + b"\r\n\r\n",
            post + b"X-Long: " + words * 9000 + b"\r\n\r\n",
        ):
            send_raw(self.house.server, sent)

    def use_socket(self) -> None:
        words = self.build_marker("socket")
        for frame in (
            words,
            json.dumps({"type": words}),
            json.dumps({"type": "watch", "day": words, "owner": words}),
            words.encode(),
            "[" * 2000 + words,
            words * 9000,
        ):
            with self.who.socket() as live, suppress(ConnectionClosed, TimeoutError):
                live.send(frame)
                live.recv(timeout=0.3)

    def make_tokens(self) -> None:
        """Make an access token with a name, and fill in a form for one that is refused."""
        path, name = "/settings/programs/", self.build_marker("token")[:80]
        assert self.who.post(path, name=name, kind="drop", lifetime_days="0").status == 200
        refused = self.who.post(path, name=self.build_marker("no")[:80], kind="away", lifetime_days="90")
        assert refused.status == 422
        assert f"{get_core(self.marker)}-token" in self.who.get(path).body

    def import_export(self, folder: Path) -> None:
        """Import texts for the Inbox from a file with a name, and accept one of them."""
        sent = [
            {"id": str(uuid4()), "day": DAY, "body": {"text": self.build_marker(f"sent-{number}")}}
            for number in range(2)
        ]
        style = {"words": {"name": self.build_marker("style")[:40], "wish": self.build_marker("wish")}}
        others = {"inbox_items": sent, "ways_of_answering": [style]}
        export = {"format": "llamora.diary", "version": 1, "entries": [], "others": others}
        path = folder / f"{get_core(self.marker)}.json"
        path.write_text(json.dumps(export))
        done = run_command(
            self.house.server.folder,
            *("import_diary", str(path), "--user", self.who.name),
            *("--password-file", str(folder / "password")),
            extra=self.house.server.environment,
        )
        assert done.returncode == 0, done.stderr
        assert get_core(self.marker) not in done.stdout + done.stderr
        page = read(self.who.get("/inbox/"))
        assert self.build_marker("sent-0") in page.texts(".other-text")
        accepted = self.who.post(page.first(".deleted form[action$='/accept/']").get("action"))
        assert accepted.status == 302
        assert self.who.get(accepted.headers["location"]).status == 200
        assert get_core(self.marker) in self.who.get("/imports/").body
        assert get_core(self.marker) in self.who.get(f"/d/{DAY}/").body

    def import_diary(self, folder: Path) -> None:
        good = [
            {"date": DAY, "text": self.build_marker("imported")},
            {"date": "2026-13-01", "text": self.build_marker("bad-day")},
        ]
        lines = [
            *map(json.dumps, good),
            '{"date": "' + self.build_marker("bad-json"),
            json.dumps([self.build_marker("list")]),
        ]
        (folder / "diary.jsonl").write_text("\n".join(lines))
        (folder / "password").write_text(PASSWORD)
        for more in (["--dry-run"], ["--password-file", str(folder / "password")]):
            done = run_command(
                self.house.server.folder,
                *("import_diary", str(folder / "diary.jsonl"), "--user", self.who.name, *more),
                extra=self.house.server.environment,
            )
            assert done.returncode == 0, done.stderr
            assert get_core(self.marker) not in done.stdout + done.stderr


def send_raw(server: Server, sent: bytes) -> bytes:
    """Send raw bytes, and return the bytes received within a moment."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.3) as connection, suppress(OSError):
        connection.sendall(sent)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def list_header_values(answers: list[BrowserResponse]) -> list[Place]:
    """Return the header values of responses."""
    return [
        Place(f"headers of an answer of {answer.status}", repr((answer.headers, answer.set_cookies)).encode())
        for answer in answers
    ]


def list_admin_pages(administrator: Visitor) -> list[Place]:
    """Return all pages of the admin, found by following links."""
    seen: dict[str, str] = {}
    waiting = ["/admin/"]
    while waiting:
        path = waiting.pop()
        if path not in seen and len(seen) < 60:
            seen[path] = administrator.get(path).body
            links = read(seen[path]).values('[href^="/admin/"]', "href")
            waiting += [link for link in links if "?" not in link and "#" not in link]
    assert len(seen) > 5
    assert not any("logout" in path for path in seen)
    return [Place(f"admin page {path}", body.encode()) for path, body in seen.items()]


@pytest.fixture(scope="module")
def writer(house: AttackedHouse, tmp_path_factory: pytest.TempPathFactory) -> Writer:
    """A person who has entered the marker in every place."""
    writer = Writer(house, "Wilma")
    writer.write_diary()
    writer.type_while_locked()
    writer.get_reply()
    writer.add_traces()
    writer.add_facts()
    writer.add_notes()
    writer.check_in()
    writer.ask_and_look_back()
    writer.refuse_hosts()
    writer.use_sign_in_pages()
    writer.visit_wrong_urls()
    writer.send_unexpected_requests()
    writer.send_broken_requests()
    writer.use_socket()
    writer.make_tokens()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    writer.import_diary(elsewhere)
    writer.import_export(elsewhere)
    return writer


def test_the_owner_finds_what_they_wrote(writer: Writer) -> None:
    today, day = writer.who.get("/").body, writer.who.get(f"/d/{DAY}/").body

    for where in ("edited", "asked", "reply", "renamed", "offered", "request", "proposal", "quoted"):
        assert f"{get_core(writer.marker)}-{where}" in today
    for where in ("imported", "draft"):
        assert f"{get_core(writer.marker)}-{where}" in day


def test_nothing_of_it_is_on_the_machine(house: AttackedHouse, writer: Writer, memory_folder: Path) -> None:
    assert sweep(writer.marker, list_household_places(house.server, also=[memory_folder])) == []


def test_nothing_of_it_is_in_what_a_backup_would_hold(house: AttackedHouse, writer: Writer) -> None:
    assert sweep(writer.marker, list_dump_values(house.server)) == []


def test_nothing_of_it_is_in_a_header_or_a_cookie(writer: Writer) -> None:
    assert sweep(writer.marker, list_header_values(writer.who.responses)) == []


def test_nothing_of_it_is_shown_to_others(house: AttackedHouse, writer: Writer) -> None:
    pages = [
        Place(f"{path} of {who.name}", who.get(path).body.encode())
        for who in (house.administrator, house.housemate, house.stranger)
        for path in ("/", f"/d/{DAY}/", "/calendar/2026-03/", "/settings/", "/nowhere/", "/healthz")
    ]

    assert sweep(writer.marker, [*pages, *list_admin_pages(house.administrator)]) == []


def test_after_locking_and_signing_out_it_is_still_nowhere(house: AttackedHouse, memory_folder: Path) -> None:
    writer = Writer(house, "Willem")
    writer.who.write(writer.build_marker("kept"))
    writer.who.save_draft(writer.build_marker("draft"))
    for path in ("/lock/", "/sign-out/"):
        assert writer.who.post(path).status == 302

        assert sweep(writer.marker, list_household_places(house.server, also=[memory_folder])) == []
