"""An HTTP client that behaves like one browser of one person: cookies, forms, a persistent connection.

The benchmarks and the tests use it.
"""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode
from uuid import uuid4

PASSWORD = "seven slow herons over the weir"  # noqa: S105 - of a household that lives for a minute
CSRF_COOKIE, SESSION_COOKIE = "llamora_csrf", "llamora_session"
FORM_TYPE = "application/x-www-form-urlencoded"
# The server closes a connection that is silent for a minute, and that may happen at this very moment.
IDLE_SECONDS = 20
_OWNER = re.compile(r'name="owner" value="([0-9a-f-]{36})"')
_RECOVERY_CODE = re.compile(r"data-recovery-code[^>]*>(.*?)</p>", re.DOTALL)
_CODE_GROUP = re.compile(r"<span>(\w{4})</span>")
_CARRIED = re.compile(r'name="carried" value="([^"]+)"')
_ASKED_GROUP = re.compile(r">(\w+) group</label>")
_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth")
_ENTRY = re.compile(r'<article class="entry" id="entry-([0-9a-f-]{36})"')


@dataclass(frozen=True)
class BrowserResponse:
    """A response of the server; header names are in lower case, `Set-Cookie` lines in a separate list."""

    status: int
    headers: Mapping[str, str]
    body: str
    set_cookies: tuple[str, ...] = ()

    @property
    def entry_ids(self) -> list[str]:
        """The ids of the entries on the page, in their order."""
        return _ENTRY.findall(self.body)


@dataclass(kw_only=True)
class BrowserClient:
    """A browser of one person, or of nobody yet; each thread has its own connection."""

    port: int = 0
    name: str = ""
    owner: str = ""
    recovery_code: str = ""
    password: str = PASSWORD
    # Empty for the machine's own; the server slows down many registrations or guesses from one address.
    source_address: str = ""
    cookies: dict[str, str] = field(default_factory=dict, repr=False)
    local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    # --- requests ----------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> BrowserResponse:
        """Send one request; raise if there is no complete response."""
        connection = self._connection()
        try:
            connection.request(method, path, body, {"Cookie": self.cookie_header, **(headers or {})})
            received = connection.getresponse()
            response = BrowserResponse(
                received.status,
                {name.lower(): value for name, value in received.getheaders()},
                received.read().decode("utf-8", "replace"),
                tuple(received.headers.get_all("Set-Cookie") or ()),
            )
        except BaseException:
            self.close()
            raise
        self._store_cookies(response)
        return response

    def get(self, path: str, **headers: str) -> BrowserResponse:
        """Request a page; store the owner's id from the first page that contains it."""
        response = self.request("GET", path, headers=headers)
        if not self.owner and (found := _OWNER.search(response.body)):
            self.owner = found[1]
        return response

    def fetch(self, path: str) -> BrowserResponse:
        """Request a fragment as the page's script does."""
        return self.request("GET", path, headers={"HX-Request": "true"})

    def post(self, path: str, *, script: bool = False, **fields: str | list[str]) -> BrowserResponse:
        """Submit an HTML form. Each keyword argument except `script` is a field of the form.

        A list gives a field several values. If `script` is true, the form is sent as by the page's script.
        """
        return self.submit(path, fields, script=script)

    def submit(
        self, path: str, fields: Mapping[str, str | list[str]], *, script: bool = False
    ) -> BrowserResponse:
        """Send an HTML form, with the CSRF token and the owner's id that the page would send."""
        headers = {"Content-Type": FORM_TYPE, "X-CSRFToken": self.cookies.get(CSRF_COOKIE, "")}
        if script:
            headers["HX-Request"] = "true"
        body = urlencode({"owner": self.owner, **fields}, doseq=True, errors="surrogatepass").encode()
        return self.request("POST", path, body, headers)

    @property
    def cookie_header(self) -> str:
        """The value of a `Cookie` header with all the cookies."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def close(self) -> None:
        """Close this thread's connection; the next request opens a new one."""
        connection: HTTPConnection | None = self.local.__dict__.pop("connection", None)
        if connection:
            connection.close()

    def _connection(self) -> HTTPConnection:
        if time.monotonic() - self.local.__dict__.get("used", 0.0) > IDLE_SECONDS:
            self.close()
        self.local.used = time.monotonic()
        connection: HTTPConnection | None = self.local.__dict__.get("connection")
        if connection is None:
            source = (self.source_address, 0) if self.source_address else None
            connection = HTTPConnection("127.0.0.1", self.port, timeout=120, source_address=source)
            self.local.connection = connection
        return connection

    def _store_cookies(self, response: BrowserResponse) -> None:
        for line in response.set_cookies:
            name, _, value = line.split(";", 1)[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    # --- what a person does --------------------------------------------------------------------------

    def register(self, name: str, *, set_up: str = "", time_zone: str = "UTC") -> None:
        """Register a person, who is then signed in, and confirm their recovery code.

        `set_up` is the token of the set-up link.
        """
        self.name = name
        self.get(f"/register/?set-up={set_up}" if set_up else "/register/")
        response = self.post(
            "/register/",
            name=name,
            password=self.password,
            password_again=self.password,
            time_zone=time_zone,
            token=set_up,
        )
        owner, code = _OWNER.search(response.body), _RECOVERY_CODE.search(response.body)
        if owner is None or code is None:
            raise RuntimeError(f"Registration answered {response.status}.")
        self.owner, groups = owner[1], _CODE_GROUP.findall(code[1])
        self.recovery_code = "-".join(groups)
        self._confirm_code(response.body, groups)

    def _confirm_code(self, page: str, groups: list[str]) -> None:
        """Type the groups of a recovery code that its page asks for."""
        carried = _CARRIED.search(page)
        typed = [groups[_ORDINALS.index(ordinal)] for ordinal in _ASKED_GROUP.findall(page)]
        response = self.post(
            "/recovery-kept/", carried=carried[1] if carried else "", group_a=typed[0], group_b=typed[1]
        )
        if response.status != 302:
            raise RuntimeError(f"The confirmation of the recovery code answered {response.status}.")

    def sign_in(self, **fields: str) -> BrowserResponse:
        """Sign in with this client's name and password; keyword arguments replace these form fields."""
        self.get("/sign-in/")
        return self.submit("/sign-in/", {"name": self.name, "password": self.password, **fields})

    def save(
        self, text: str, *, day: str, key: str | None = None, draft_revision: int = 0
    ) -> BrowserResponse:
        """Save an entry as the page's script does."""
        return self.post(
            f"/d/{day}/", script=True, text=text, key=key or str(uuid4()), revision=str(draft_revision)
        )
