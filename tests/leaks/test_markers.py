"""Words written wherever a person can type, and by the model, are found only in the owner's pages."""

import json
import socket
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.browser_client import FORM_TYPE, PASSWORD, BrowserResponse, Visitor
from tests.fakes.script import Script
from tests.leaks.forms import core_of, new_marker, said_by
from tests.leaks.household import DAY, AttackedHouse, answered, trace_id
from tests.leaks.sweep import Place, dump, household, sweep
from tests.page import given_text, read
from tests.server import Server, manage

MULTIPART = "multipart/form-data; boundary=edge"


class Writer:
    """One person who leaves a marker wherever there is a place for it."""

    def __init__(self, house: AttackedHouse, name: str) -> None:
        self.house, self.marker = house, new_marker()
        self.who = Visitor.join(house.server, name)

    def words(self, where: str) -> str:
        return said_by(self.marker, where)

    def writes_a_diary(self) -> None:
        who = self.who
        kept = who.write(self.words("kept"))
        edit = {"text": self.words("edited"), "revision": "1"}
        assert who.post(f"/entries/{kept}/edit/", script=True, **edit).status == 200
        gone = who.write(self.words("deleted") * 300)
        assert who.post(f"/entries/{gone}/delete/", script=True).status == 200
        assert who.save_draft(self.words("draft"), day=DAY).status == 200
        assert who.save_draft(self.words("draft-of-entry"), entry=kept).status == 200
        # Refused ones: too long, not text, to come, in conflict; by script and by form.
        for text, day in (
            (self.words("long") * 9000, DAY),
            (self.words("nul") + "\0", DAY),
            (self.words("to-come"), "2999-01-01"),
        ):
            for script in (True, False):
                assert who.post(f"/d/{day}/", script=script, text=text).status == 422
        assert who.save_draft(self.words("conflict"), day=DAY, revision=0).status == 409
        assert (
            who.post(f"/entries/{kept}/edit/", text=self.words("conflict-of-entry"), revision="1").status
            == 409
        )

    def types_while_locked(self) -> None:
        who = self.who
        assert who.post("/lock/").status == 302
        assert who.save_draft(self.words("late"), day="2026-03-06").status == 200
        assert who.save(self.words("kept-while-locked")).status == 401
        assert who.post(f"/d/{DAY}/", text=self.words("kept-by-form-while-locked")).status == 401
        assert who.unlock(self.words("wrong-password")).status == 422
        assert who.unlock().status == 302
        assert self.words("late") in given_text(who.get("/d/2026-03-06/"))

    def is_answered(self) -> None:
        model = self.house.model
        entry = self.who.write(self.words("asked"))
        model.next(
            Script(tokens=[self.words("reply"), " and on"], thoughts=[self.words("thought")]),
            Script(tokens=["<think>", self.words("inline-thought"), "</think>", "Well."]),
        )
        for _ in range(2):
            answered(self.who, entry)
        model.next(
            Script(status=500, error=self.words("error")),
            Script(tokens=[self.words("before-error")], error_after=1, error=self.words("late-error")),
            Script(tokens=[self.words("before-malformed")], malformed_after=1),
            Script(raw=f"data: {self.words('malformed')}\n\n".encode()),
            Script(tokens=["Well."], finish_reason=self.words("finish")),
        )
        for _ in range(5):
            answered(self.who, entry)

    def keeps_traces(self) -> None:
        who = self.who
        entry = who.write(self.words("traced"))
        here = f"/entries/{entry}/traces"
        kept = who.post(f"{here}/keep/", script=True, name=self.words("trace"))
        trace = trace_id(kept)
        assert who.post(f"{here}/complete/", script=True, name=self.words("tr")[:12]).status == 200
        assert who.post(f"{here}/dismiss/", script=True, pick=self.words("unwanted")).status == 200
        for name in (self.words("long") * 3, self.words("control") + "\x07"):
            for script in (True, False):
                assert who.post(f"{here}/keep/", script=script, name=name).status == 422
        assert who.post(f"/traces/{trace}/rename/", name=self.words("renamed")).status == 302
        traces = [self.words("offered"), self.words("too")]
        answer = json.dumps({"emoji": "☕", "traces": traces}, ensure_ascii=False)
        self.house.model.offer(Script(tokens=[answer]))
        page = who.post(f"{here}/propose/", script=True)
        while "Looking for traces" in page.body:
            page = who.fetch(f"{here}/propose/")
        assert self.words("offered")[:20] in page.body
        self.looks_at(trace)

    def looks_at(self, trace: str) -> None:
        """See a trace on every page it has, filtered for, summed up, and called what it cannot be."""
        who, there = self.who, f"/traces/{trace}/"
        for script in (True, False):
            assert who.post("/traces/", script=script, typed=self.words("filtered")).status == 200
            assert who.post(f"{there}rename/", script=script, name=self.words("refused") * 3).status == 422
        self.house.model.next(Script(tokens=[self.words("summed-up")]))
        page = who.post(f"{there}summary/", script=True)
        while "hx-trigger" in page.body:
            page = who.fetch(f"{there}summary/")
        assert self.words("summed-up")[:20] in page.body
        for path in ("/traces/", there, "/traces/picture/"):
            assert self.words("renamed")[:20] in who.get(path).body
        assert who.post(f"{there}merge/", into=self.words("nowhere")).status == 422

    def stands_at_the_door(self) -> None:
        stranger = self.house.stranger
        stranger.name = self.words("unknown-name")
        assert stranger.sign_in(password=self.words("wrong-password")).status == 422
        long = self.words("new-password")
        joining = {"name": self.words("refused"), "password": long, "password_again": long + "x"}
        assert stranger.post("/register/", **joining, time_zone=self.words("zone")).status == 422
        assert stranger.post("/strength/", password=long, name=self.words("name")).status == 200
        recovery = {
            "name": self.who.name,
            "code": self.words("code"),
            "password": long,
            "password_again": long,
        }
        assert stranger.post("/recover/", **recovery).status == 422
        assert stranger.post("/d/2026-03-05/", text=self.words("stranger")).status in (401, 409)
        chosen = {
            "time_zone": self.words("zone"),
            "theme": self.words("theme"),
            "week_start": self.words("week"),
        }
        assert self.who.post("/settings/", shown_name="A" * 65 + self.words("x"), **chosen).status == 422
        groups = {"group_a": self.words("group"), "group_b": "", "carried": self.words("carried")}
        assert self.who.post("/recovery-kept/", **groups).status == 410

    def mistakes_an_address(self) -> None:
        quoted = core_of(self.marker)
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

    def sends_what_nobody_asked_for(self) -> None:
        words = self.words("body").encode()
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
            ("text/plain; charset=" + core_of(self.marker), words),
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

    def breaks_the_wire(self) -> None:
        words = self.words("raw").encode()
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
            raw(self.house.server, sent)

    def talks_to_the_socket(self) -> None:
        words = self.words("socket")
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

    def imports_a_diary(self, folder: Path) -> None:
        good = [
            {"date": DAY, "text": self.words("imported")},
            {"date": "2026-13-01", "text": self.words("bad-day")},
        ]
        lines = [
            *map(json.dumps, good),
            '{"date": "' + self.words("bad-json"),
            json.dumps([self.words("list")]),
        ]
        (folder / "diary.jsonl").write_text("\n".join(lines))
        (folder / "password").write_text(PASSWORD)
        for more in (["--dry-run"], ["--password-file", str(folder / "password")]):
            done = manage(
                self.house.server.folder,
                *("import_diary", str(folder / "diary.jsonl"), "--user", self.who.name, *more),
                extra=self.house.server.environment,
            )
            assert done.returncode == 0, done.stderr
            assert core_of(self.marker) not in done.stdout + done.stderr


def raw(server: Server, sent: bytes) -> bytes:
    """Send bytes as they are, and take what comes within a moment."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.3) as connection, suppress(OSError):
        connection.sendall(sent)
        while piece := connection.recv(65536):
            answer += piece
    return answer


def in_headers(answers: list[BrowserResponse]) -> list[Place]:
    """What answers say outside of their pages."""
    return [
        Place(f"headers of an answer of {answer.status}", repr((answer.headers, answer.set_cookies)).encode())
        for answer in answers
    ]


def admin_pages(administrator: Visitor) -> list[Place]:
    """Every page of the admin that its links lead to."""
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
    """Somebody who has written their marker everywhere."""
    writer = Writer(house, "Wilma")
    writer.writes_a_diary()
    writer.types_while_locked()
    writer.is_answered()
    writer.keeps_traces()
    writer.stands_at_the_door()
    writer.mistakes_an_address()
    writer.sends_what_nobody_asked_for()
    writer.breaks_the_wire()
    writer.talks_to_the_socket()
    writer.imports_a_diary(tmp_path_factory.mktemp("elsewhere"))
    return writer


def test_the_owner_finds_what_they_wrote(writer: Writer) -> None:
    today, day = writer.who.get("/").body, writer.who.get(f"/d/{DAY}/").body

    for where in ("edited", "asked", "reply", "renamed", "offered"):
        assert f"{core_of(writer.marker)}-{where}" in today
    for where in ("imported", "draft"):
        assert f"{core_of(writer.marker)}-{where}" in day


def test_nothing_of_it_is_on_the_machine(house: AttackedHouse, writer: Writer, memory_folder: Path) -> None:
    assert sweep(writer.marker, household(house.server, also=[memory_folder])) == []


def test_nothing_of_it_is_in_what_a_backup_would_hold(house: AttackedHouse, writer: Writer) -> None:
    assert sweep(writer.marker, dump(house.server)) == []


def test_nothing_of_it_is_in_a_header_or_a_cookie(writer: Writer) -> None:
    assert sweep(writer.marker, in_headers(writer.who.responses)) == []


def test_nothing_of_it_is_shown_to_others(house: AttackedHouse, writer: Writer) -> None:
    pages = [
        Place(f"{path} of {who.name}", who.get(path).body.encode())
        for who in (house.administrator, house.housemate, house.stranger)
        for path in ("/", f"/d/{DAY}/", "/calendar/2026-03/", "/settings/", "/nowhere/", "/healthz")
    ]

    assert sweep(writer.marker, [*pages, *admin_pages(house.administrator)]) == []


def test_after_locking_and_signing_out_it_is_still_nowhere(house: AttackedHouse, memory_folder: Path) -> None:
    writer = Writer(house, "Willem")
    writer.who.write(writer.words("kept"))
    writer.who.save_draft(writer.words("draft"))
    for path in ("/lock/", "/sign-out/"):
        assert writer.who.post(path).status == 302

        assert sweep(writer.marker, household(house.server, also=[memory_folder])) == []
