"""A scripted server of the HTTP API on a real socket, with one diary in memory and faults on request.

    with ScriptedApi() as server:
        server.add_faults(Fault(status=429, headers={"Retry-After": "0"}), Fault(is_dropped=True))
        Llamora(server.url, token=TOKEN).write("Rain.")
        server.entries, server.requests

A fault affects only the next request. With `is_handled`, the request is carried out before it fails, as by a
server that is killed between the commit and the response.
"""

import json
import socket
import ssl
import sys
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "llamora_scriptedscriptedscripted_a_secret_for_tests_abcdef"
STAMP = "2026-01-05T12:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The failure of one request, in place of its response."""

    status: int = 0
    body: Any = None  # bytes as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    raw: bytes | None = None  # instead of HTTP
    is_dropped: bool = False  # the connection closes without an answer
    is_handled: bool = False
    cut: int | None = None  # only so many bytes of the answer's body
    pieces: tuple[bytes, ...] = ()  # of a stream, each sent on its own
    piece_delay: float = 0


@dataclass(frozen=True)
class SeenRequest:
    """A request that the server has received."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


class ScriptedApi:
    """The server, in its own threads. `certificate` is a PEM file with a key, for TLS."""

    def __init__(self, *, certificate: Path | None = None, port: int = 0) -> None:
        self.requests: list[SeenRequest] = []
        self.entries: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.sessions: list[str] = []
        self.traces = ["kite"]
        self.is_locked = False
        self.hung_up = threading.Event()
        self._faults: deque[Fault] = deque()
        self._answers: dict[str, tuple[Any, Any]] = {}
        self._lock = threading.Lock()
        api = self

        class Handler(_Handler):
            server_of_api = api

        self._http = _QuietServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._http.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        for day, text in (("2026-01-04", "The kite flew over the weir."), ("2026-01-05", "Fog all day.")):
            self.store({"text": text, "day": day})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def add_faults(self, *faults: Fault) -> None:
        self._faults.extend(faults)

    def take_fault(self) -> Fault | None:
        with self._lock:
            return self._faults.popleft() if self._faults else None

    def count(self, text: str) -> int:
        """Return how many entries have this text."""
        return sum(entry["text"] == text for entry in self.entries)

    def store(self, body: dict[str, Any]) -> dict[str, Any]:
        entry = {
            "id": str(uuid.uuid4()),
            "day": body.get("day") or (body.get("written_at") or STAMP)[:10],
            "text": body["text"],
            "created_at": body.get("written_at") or STAMP,
            "edited_at": None,
            "revision": 1,
            "origin": "own_token",
            "source": "Script",
            "of_a_newer_server": {"ignored": True},
        }
        self.entries.append(entry)
        return entry

    def answer(self, request: SeenRequest) -> tuple[int, Any]:
        """Return status and body of an answer; a body of bytes is no JSON."""
        if request.path == "/health":
            return 200, {"status": "ok", "version": "0.1.0", "timestamp": STAMP}
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, build_error("invalid_token", "This access token is not valid.")
        if request.path == "/api/status":
            return 200, self._build_status()
        if self.is_locked:
            return 423, build_error("locked", "Unlock your diary in a browser, then try again.")
        with self._lock:
            return self._route(request)

    def _build_status(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "unlocked": not self.is_locked,
            "version": "0.1.0",
            "model": {"state": "ready", "name": "tiny"},
            "search": {"state": "ready", "done": 3, "total": 3},
            "token": {"kind": "ordinary", "scopes": ["diary:read", "diary:write", "chat"], "name": "Script"},
        }

    def _route(self, request: SeenRequest) -> tuple[int, Any]:
        match [request.method, *request.path.strip("/").split("/")]:
            case ["GET", "api", "v1", "days"]:
                return self._list_days(request)
            case ["GET", "api", "v1", "days", day]:
                found = [entry for entry in self.entries if entry["day"] == day]
                return 200, {"day": day, "entries": found, "opening": None, "recap": None, "unread_count": 0}
            case ["GET", "api", "v1", "entries"]:
                return self._list_entries(request)
            case ["POST", "api", "v1", "entries"]:
                return self._write(request)
            case [method, "api", "v1", "entries", entry_id]:
                return self._change(method, entry_id, request)
            case ["POST", "api", "v1", "entries", entry_id, "restore"]:
                return self._restore(entry_id)
            case ["POST", "api", "v1", "search"]:
                return self._search(request.body)
            case ["GET", "api", "v1", "export"]:
                return 200, json.dumps(
                    {
                        "format": "llamora.diary",
                        "entries": self.entries,
                        "counts": {"entries": len(self.entries)},
                    }
                ).encode()
            case ["GET", "api", "v1", "traces"]:
                page, following = self._cut_by_offset(
                    [self._build_trace(name) for name in self.traces], request
                )
                return 200, {"traces": page, "next_offset": following}
            case ["GET", "api", "v1", "traces", trace_id]:
                name = trace_id.removeprefix("trace-")
                on = [{"id": entry["id"], "day": entry["day"]} for entry in self._list_on(name)]
                page, following = self._cut_by_offset(on, request)
                return 200, {"trace": self._build_trace(name), "entries": page, "next_offset": following}
            case ["GET", "api", "sessions"]:
                sessions = [{"session_id": session} for session in dict.fromkeys(self.sessions)]
                page, following = self._cut_by_offset(sessions, request)
                return 200, {"sessions": page, "next_offset": following}
            case ["DELETE", "api", "sessions", session]:
                self.sessions = [each for each in self.sessions if each != session]
                return 200, {"id": session, "deleted": True}
            case [_, "api", "v1", "memory", *rest]:
                return self._remember(request, rest)
            case [_, "api", "memory", "search"]:
                return self._search({"query": request.body["query"], "offset": 0, "limit": 9})
            case ["GET", "api", "memory", "stats"]:
                return 200, {"total": len(self.entries), "indexed": len(self.entries)}
            case ["POST", "api", "heartbeat"]:
                proposal = {
                    "id": "proposal-1",
                    "request": "The kite",
                    "text": "How is the kite?",
                    "quotes": [],
                }
                message = "It waits on today's page."
                return 200, {
                    "status": "proposed",
                    "message": message,
                    "model": "tiny",
                    "proposals": [proposal],
                }
            case ["POST", "api", "chat"]:
                start, text, end = self._build_chat(request.body)
                return 200, {**start, "response": text, "read_imported": end["read_imported"]}
            case _:
                return 404, build_error("not_found", "There is nothing at this address.")

    def _remember(self, request: SeenRequest, rest: list[str]) -> tuple[int, Any]:
        """Answer as Harmonia does; a fact here is an entry, and a proposal one as well."""
        match [request.method, *rest]:
            case ["POST", "store"]:
                return self._store_memory(request)
            case ["POST", "search"]:
                return 200, {"state": "ready", "results": self.entries[:1], "total": 1}
            case ["GET", "list"]:
                listed = self.entries[: int(request.query.get("limit", ["50"])[0])]
                if request.query.get("state") == ["proposed"]:
                    listed = self.entries[-1:]
                memories = [{**entry, "content": entry["text"]} for entry in listed]
                return 200, {"memories": memories, "pagination": {"has_more": False}}
            case ["GET", "export"]:
                if request.query["format"] == ["text"]:
                    return 200, b"You own a kayak\n\nEnd: 1 in all, 0 left out.\n"
                return 200, json.dumps({"memories": self.entries, "count": len(self.entries)}).encode()
            case ["GET", memory_id, "history"]:
                return 200, {"id": memory_id, "history": [{"action": "add"}]}
            case [("GET" | "DELETE") as method, memory_id]:
                status, answer = self._change(method, memory_id, request)
                return status, {**answer, "content": answer.get("text", "")}
            case ["POST", memory_id, ("accept" | "undo") as action]:
                return 200, {"id": memory_id, "action": action, **(request.body or {})}
            case _:
                return 404, build_error("not_found", "There is nothing at this address.")

    def _store_memory(self, request: SeenRequest) -> tuple[int, Any]:
        facts = [{"content": fact["content"], "action": "proposed"} for fact in request.body.get("facts", ())]
        if "message" in request.body:
            status, answer = self._store_once(request, {"text": request.body["message"]})
            return status, {**answer, "facts": facts}
        for fact in facts:
            self.store({"text": fact["content"]})
        return 200, {"action": "proposed", "id": None, "facts": facts}

    def _list_on(self, name: str) -> list[dict[str, Any]]:
        """Return the entries that a trace is on: those with its name in their text."""
        found = [entry for entry in self.entries if name in entry["text"].lower()]
        return sorted(found, key=lambda entry: entry["day"], reverse=True)

    def _build_trace(self, name: str) -> dict[str, Any]:
        days = [entry["day"] for entry in self._list_on(name)]
        first, last = (min(days), max(days)) if days else (None, None)
        counts = {"entry_count": len(days), "first_day": first, "last_day": last}
        return {"id": f"trace-{name}", "name": name, **counts}

    @staticmethod
    def _cut_by_offset(items: list[Any], request: SeenRequest) -> tuple[list[Any], int | None]:
        start, limit = (int(request.query.get(name, ["0"])[0]) for name in ("offset", "limit"))
        return items[start : start + limit], start + limit if start + limit < len(items) else None

    def _list_days(self, request: SeenRequest) -> tuple[int, Any]:
        days = sorted({entry["day"] for entry in self.entries}, reverse=True)
        days = [day for day in days if is_in_range(day, request)]
        page, following = self._cut(days, request)
        found = [{"day": day, "entry_count": sum(e["day"] == day for e in self.entries)} for day in page]
        return 200, {"days": found, "next_cursor": following}

    def _list_entries(self, request: SeenRequest) -> tuple[int, Any]:
        wanted = request.query.get("day")
        found = [
            entry
            for entry in sorted(self.entries, key=lambda entry: entry["day"], reverse=True)
            if is_in_range(entry["day"], request) and (not wanted or entry["day"] == wanted[0])
        ]
        page, following = self._cut(found, request)
        return 200, {"entries": page, "next_cursor": following}

    @staticmethod
    def _cut(items: list[Any], request: SeenRequest) -> tuple[list[Any], str | None]:
        start = int(request.query.get("cursor", ["at-0"])[0].removeprefix("at-"))
        end = start + int(request.query.get("limit", ["50"])[0])
        return items[start:end], f"at-{end}" if end < len(items) else None

    def _write(self, request: SeenRequest) -> tuple[int, Any]:
        return self._store_once(request, request.body)

    def _store_once(self, request: SeenRequest, text: dict[str, Any]) -> tuple[int, Any]:
        key = request.headers.get("idempotency-key", "")
        if key in self._answers:
            body, answer = self._answers[key]
            if body != request.body:
                return 409, build_error("idempotency_key_reused", "This key was used for another text.")
            return 201, answer
        entry = self.store(text)
        answer = {"action": "created", "id": entry["id"], "day": entry["day"], "entry": dict(entry)}
        self._answers[key] = (request.body, answer)
        return 201, answer

    def _change(self, method: str, entry_id: str, request: SeenRequest) -> tuple[int, Any]:
        entry = next((one for one in self.entries if one["id"] == entry_id), None)
        if entry is None:
            return 404, build_error("not_found", "There is no such entry.")
        if method == "GET":
            return 200, entry
        if method == "DELETE":
            self.entries.remove(entry)
            self.deleted.append(entry)
            return 200, {"id": entry_id, "deleted": True, "in_bin_days": 30}
        if request.body["revision"] != entry["revision"]:
            error = build_error("revision_conflict", "The entry was changed meanwhile.")
            return 409, {**error, "revision": entry["revision"]}
        entry.update({name: request.body[name] for name in ("text", "day") if name in request.body})
        entry.update(revision=entry["revision"] + 1, edited_at=STAMP)
        return 200, entry

    def _restore(self, entry_id: str) -> tuple[int, Any]:
        entry = next((one for one in self.deleted if one["id"] == entry_id), None)
        if entry is None:
            return 404, build_error("not_found", "There is no such entry in the bin.")
        self.deleted.remove(entry)
        self.entries.append(entry)
        return 200, entry

    def _search(self, body: dict[str, Any]) -> tuple[int, Any]:
        words = body["query"].lower().split()
        found = [e for e in self.entries if all(word in e["text"].lower() for word in words)]
        start, end = body["offset"], body["offset"] + body["limit"]
        results = [
            {
                "kind": "entry",
                "id": entry["id"],
                "entry_id": entry["id"],
                "day": entry["day"],
                "snippet": entry["text"],
                "origin": entry["origin"],
                "why": ["words"],
            }
            for entry in found[start:end]
        ]
        following = end if end < len(found) else None
        days = {"from": "2026-01-01", "to": None} if "january" in words else None
        return 200, {
            "results": results,
            "total": len(found),
            "next_offset": following,
            "days": days,
            "state": "ready",
        }

    def _build_chat(self, body: dict[str, Any]) -> tuple[dict[str, Any], str, dict[str, Any]]:
        session = body.get("session_id") or str(uuid.uuid4())
        self.sessions.append(session)
        kite = self.entries[0]
        source = {
            "number": 1,
            "kind": "entry",
            "id": kite["id"],
            "day": kite["day"],
            "snippet": kite["text"],
            "origin": "own",
        }
        start = {"session_id": session, "model": body.get("model", "tiny"), "sources": [source]}
        fact = {"id": str(uuid.uuid4()), "content": "The kite is red."}
        return (
            start,
            "On 4 January [1].",
            {"read_imported": False, "finish_reason": "stop", "facts": [fact]},
        )

    def build_stream(self, body: dict[str, Any]) -> list[bytes]:
        """Return the events of a streamed answer, each as bytes."""
        start, text, end = self._build_chat(body)
        words = [text[place : place + 3] for place in range(0, len(text), 3)]
        events = [("start", start), *(("token", {"text": word}) for word in words), ("done", end)]
        return [f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in events]


def build_error(code: str, message: str, **others: Any) -> dict[str, Any]:
    """Return the body of an error, as the API has it."""
    name = code.replace("_", " ").capitalize()
    return {"error": name, "error_code": code, "message": message, "timestamp": STAMP, **others}


def is_in_range(day: str, request: SeenRequest) -> bool:
    """Return whether a day is in the range that a request names."""
    first, last = request.query.get("from", [""])[0], request.query.get("to", [""])[0]
    return (not first or day >= first) and (not last or day <= last)


class _QuietServer(ThreadingHTTPServer):
    """A server that prints no errors for connections that clients close."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Handler of the requests, with the faults that were added."""

    protocol_version = "HTTP/1.1"
    server_of_api: ScriptedApi

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_DELETE = do_PATCH = do_PUT = do_GET  # noqa: N815 - names of the base class

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as in the base class
        pass

    def _handle(self) -> None:
        api, parts = self.server_of_api, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = SeenRequest(self.command, parts.path, parse_qs(parts.query), headers, body)
        api.requests.append(request)
        fault = api.take_fault()
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
        if fault is not None and self._fail(fault, request):
            return
        if request.path == "/api/chat/stream" and headers.get("authorization") == f"Bearer {TOKEN}":
            if api.is_locked:
                self._write_answer(*api.answer(request))
                return
            self._stream(api.build_stream(body), fault)
            return
        status, answer = api.answer(request)
        self._write_answer(status, answer, cut=fault.cut if fault else None)

    def _fail(self, fault: Fault, request: SeenRequest) -> bool:
        """Fail as told; return whether there is nothing left to answer."""
        if fault.is_handled:
            self.server_of_api.answer(request)
        if fault.is_dropped or fault.raw is not None:
            self.wfile.write(fault.raw or b"")
            self._drop()
            return True
        if fault.status:
            self._write_answer(fault.status, fault.body, headers=fault.headers, cut=fault.cut)
            return True
        if fault.pieces and request.path != "/api/chat/stream":
            self._stream(list(fault.pieces), fault)
            return True
        return False

    def _drop(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        # Not only closed: other objects may hold the socket open.
        self.connection.shutdown(socket.SHUT_RDWR)

    def _write_answer(
        self, status: int, body: Any, *, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:cut])
        if cut is not None:
            self._drop()

    def _stream(self, pieces: list[bytes], fault: Fault | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in (fault and fault.pieces) or pieces:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                if fault is not None and fault.piece_delay:
                    time.sleep(fault.piece_delay)
            if fault is not None and fault.cut is not None:
                self._drop()
            else:
                self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.server_of_api.hung_up.set()


def get_free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
