"""Attacks with markup in all texts of people: each page shows it as text, and none of it runs."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser

from diary.models import CustomReplyKind, Reply
from llamora.inference.job import JobState
from tests.leaks.url_table import DAY
from tests.people import Resident
from traces.models import Trace

MARK = "marrow"
PAYLOADS = [
    "<script>marrow()</script>",
    "<SCRIPT SRC=//elsewhere.example/marrow.js></SCRIPT>",
    "<scr<script>ipt>marrow()</scr</script>ipt>",
    "<script\x0cx>marrow()</script>",
    "</textarea><script>marrow()</script>",
    "</title><script>marrow()</script>",
    "</script><script>marrow()</script>",
    "--><script>marrow()</script><!--",
    "<![CDATA[<script>marrow()</script>]]>",
    "<img src=x onerror=marrow()>",
    "<img src=x onerror='marrow()'//",
    "<img/src=`x`onerror=marrow()>",
    '"><img src=x onerror=marrow()>',
    "' onfocus=marrow() autofocus x='",
    '" onmouseover="marrow()" x="',
    "<svg onload=marrow()>",
    "<svg><script>marrow()</script></svg>",
    "<svg><animate onbegin=marrow() attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=marrow()>",
    "<body onload=marrow()>",
    "<details open ontoggle=marrow()>",
    "<video><source onerror=marrow()></video>",
    "<input autofocus onfocus=marrow()>",
    "<iframe srcdoc='<script>marrow()</script>'></iframe>",
    "<iframe src=javascript:marrow()></iframe>",
    "<object data=javascript:marrow()></object>",
    "<embed src=data:text/html,marrow>",
    "<base href=//elsewhere.example/marrow/>",
    "<meta http-equiv=refresh content='0;url=//elsewhere.example/marrow'>",
    "<link rel=stylesheet href=//elsewhere.example/marrow.css>",
    "<style>@import '//elsewhere.example/marrow.css';</style>",
    "<form action=//elsewhere.example/marrow><button>x</button></form>",
    "<button formaction=//elsewhere.example/marrow>x</button>",
    "<div hx-get=/settings/marrow/ hx-trigger=load>x</div>",
    "<div data-controller=marrow data-hx-on:load=marrow()>x</div>",
    "[marrow](javascript:marrow())",
    "[marrow](jAvAsCrIpT&colon;marrow())",
    "[marrow](data:text/html;base64,bWFycm93)",
    "[marrow](vbscript:marrow)",
    "![marrow](http://elsewhere.example/marrow.png)",
    "{{ marrow }}{% include 'marrow' %}${marrow}",
]
FORBIDDEN_TAGS = "iframe, object, embed, base, style, math, video, audio, img, animate, marquee, frame"
ADDRESSES = (
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "srcdoc",
    "xlink:href",
    "poster",
    "srcset",
    "background",
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(owner: Resident) -> dict[str, str]:
    """The owner's diary with each payload as an entry, in every other place, and the pages that show it."""
    day = f"{DAY:%Y-%m-%d}"
    entries = [owner.write(text, day=DAY) for text in PAYLOADS]
    first, last = entries[0], entries[-1]
    assert (
        owner.post(f"/entries/{first.id}/edit/", script=True, text="Words.", revision="1").status_code == 200
    )
    with owner.unlocked():
        for entry, text in zip(entries, PAYLOADS, strict=True):
            Reply.objects.create(owner_id=owner.id, entry=entry, text=text, state=JobState.DONE)
            CustomReplyKind.objects.create(owner_id=owner.id, words={"name": text[:40], "wish": text})
    for text in PAYLOADS:
        owner.post(f"/entries/{last.id}/traces/keep/", script=True, name=text)
        owner.post("/search/recent/", script=True, q=text)
    owner.post(f"/d/{day}/draft/", script=True, text=PAYLOADS[4], revision="1")
    owner.post("/settings/", shown_name=PAYLOADS[0][:40], time_zone="UTC", week_start="0", theme="system")
    trace = Trace.objects.filter(owner_id=owner.id).first()
    assert trace
    deleted = owner.write(PAYLOADS[9], day=DAY)
    owner.post(f"/entries/{deleted.id}/delete/", script=True)
    paths = {
        "day": f"/d/{day}/",
        "edit": f"/entries/{last.id}/edit/",
        "versions": f"/entries/{first.id}/versions/",
        "reply styles": f"/entries/{last.id}/ways/",
        "bin": "/bin/",
        "traces": "/traces/",
        "trace": f"/traces/{trace.id}/",
        "graph": "/traces/picture/",
        "on this day": f"/on-this-day/{DAY:%m-%d}/",
        "settings": "/settings/",
        "search": "/search/",
    }
    found = {name: owner.get(path).content.decode() for name, path in paths.items()}
    for number, text in enumerate(PAYLOADS):
        found[f"search for {number}"] = owner.post("/search/", q=text).content.decode()
        found[f"link for {number}"] = owner.get(f"/search/?q={quote(text)}").content.decode()
        refused = owner.client.post("/d/2026-99-99/", {"owner": str(owner.id), "text": text})
        found[f"refusal of {number}"] = refused.content.decode()
    return found


def find_dangers(html: str) -> Iterator[str]:
    """Yield what a browser would run, load or send because of somebody's words."""
    page = LexborHTMLParser(html)
    for node in page.css("*"):
        names = node.attributes
        yield from (f"{node.tag} {name}" for name in names if name.startswith(("on", "hx-on", "data-hx-on")))
        for name in ADDRESSES:
            value = "".join((names.get(name) or "").split()).lower()
            if value.startswith(("javascript:", "data:", "vbscript:", "//", "http")) and node.tag != "a":
                yield f"{node.tag} {name}={value:.40}"
            elif value.startswith(("javascript", "data:", "vbscript:")):
                yield f"a {name}={value:.40}"
        for name, value in names.items():
            if (
                name.startswith(("hx-", "data-controller"))
                and MARK in (value or "")
                and "hx-vals" not in name
            ):
                yield f"{node.tag} {name}={value}"
        if node.tag in FORBIDDEN_TAGS.split(", "):
            yield node.tag
        if node.tag == "script" and (MARK in node.text() or MARK in (names.get("src") or "")):
            yield "script"
        if node.tag == "meta" and names.get("http-equiv"):
            yield "meta"
        if node.tag == "link" and MARK in (names.get("href") or ""):
            yield "link"


def test_there_are_as_many_as_were_tried() -> None:
    assert len({*PAYLOADS}) == 41


def test_markup_is_text_on_every_page(pages: dict[str, str]) -> None:
    dangers = {name: found for name, html in pages.items() if (found := sorted({*find_dangers(html)}))}

    assert dangers == {}


def test_the_pages_show_what_was_written(pages: dict[str, str]) -> None:
    """What is not shown proves nothing."""
    for name in ("day", "edit", "versions", "reply styles", "bin", "traces", "trace", "on this day"):
        assert MARK in pages[name], name
    assert sum(MARK in html for html in pages.values()) > 45


@pytest.mark.parametrize(
    "payload", [text for text in PAYLOADS if text.startswith("<") and "CDATA" not in text]
)
def test_markup_that_was_not_escaped_would_be_seen(payload: str) -> None:
    page = f"<!doctype html><body><p>{payload}</p></body>"

    harmless = ("<form", "<svg><script", "<scr<", "<script\x0c", "<SCRIPT", "<link", "<meta")
    assert list(find_dangers(page)) or payload.startswith(harmless)
