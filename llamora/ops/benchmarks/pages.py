"""Measurements of sign-in, pages and saves: alone, with eight clients, and in a large diary."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from llamora.ops.benchmarks.client import BrowserClient, BrowserResponse
from llamora.ops.benchmarks.figures import BenchmarkReport, Figure, measure_milliseconds, median, p95
from llamora.ops.benchmarks.household import BenchmarkHousehold

ORDINARY = (
    "Up before the alarm. The street was still blue and the first tram had nobody in it.\n\nTea, ten pages.",
    "Doctor says the shoulder is only tight. Exercises twice a day. I have done them *once*.",
    "Rain after supper; we played cards and I lost, as is right.",
)
ROUNDS, CLIENTS, SECONDS = 60, 8, 4.0
# Never in the same month, nor the same day of another: today's page looks the same on every date.
OTHER_DAY = timedelta(days=40)
_RESOURCE = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg))[^"]*"')
_IMPORTED = re.compile(r"""(?:from|import|@import(?: url\()?)\s*["']([\w./-]+\.(?:js|css))["']""")
# The module of a controller is fetched when the page has an element with its name.
_CONTROLLER = re.compile(r"""(\w+): \(\) => import\(["']([\w./-]+\.js)["']\)""")
_ASKED_FOR = re.compile(r'data-controller="([^"]+)"')


def measure(report: BenchmarkReport, served: BenchmarkHousehold, *, name: str, today: date) -> None:
    """Add the figures of a household with one person and few entries."""
    person = BrowserClient(port=served.port, name=name)
    person.sign_in()
    _measure_days(report, person, today)
    _measure_eight_clients(report, served, name)
    _measure_sign_ins(report, served, person, name)
    _measure_cold_page(report, served, name)


def _measure_days(report: BenchmarkReport, person: BrowserClient, today: date) -> None:
    path = f"/d/{today.isoformat()}/"
    saves = []
    for text in ORDINARY:
        person.get(path)
        saves += measure_milliseconds(
            lambda text=text: expect_status(person.save(text, day=today.isoformat()), 200),  # type: ignore[misc]
            1,
        )
    plain = median(measure_milliseconds(lambda: person.get("/healthz"), ROUNDS))
    day = median(measure_milliseconds(lambda: expect_status(person.get("/"), 200), ROUNDS))
    report.add(
        Figure(
            name="ordinary day, 3 entries",
            value=day,
            unit="ms",
            ratio=day / plain,
            baseline="/healthz",
            peer=9.7,
        )
    )
    for number in range(ROUNDS // 2):
        other_day = (today - OTHER_DAY).isoformat()
        person.get(f"/d/{other_day}/")
        saves += measure_milliseconds(
            lambda day=other_day, n=number: expect_status(person.save(f"Entry {n}.", day=day), 200),  # type: ignore[misc]
            1,
        )
    report.add(
        Figure(
            name="save an entry",
            value=median(saves),
            unit="ms",
            ratio=median(saves) / plain,
            baseline="/healthz",
            peer=8.1,
        )
    )


def expect_status(answer: BrowserResponse, status: int) -> BrowserResponse:
    """Return the response; raise if it has another status."""
    if answer.status != status:
        raise RuntimeError(f"A page answered {answer.status} instead of {status}.")
    return answer


def measure_large_diary(
    report: BenchmarkReport, served: BenchmarkHousehold, *, name: str, entries: int
) -> None:
    """Add to the report how long today's page takes in a diary with `entries` entries."""
    person = BrowserClient(port=served.port, name=name)
    person.sign_in()
    day = median(measure_milliseconds(lambda: expect_status(person.get("/"), 200), ROUNDS))
    report.add(
        Figure(
            name=f"today's page, archive of {entries:,}",
            value=day,
            unit="ms",
            peer=33 if entries == 50_000 else None,
        )
    )


def _measure_eight_clients(report: BenchmarkReport, served: BenchmarkHousehold, name: str) -> None:
    browsers = [BrowserClient(port=served.port, name=name) for _ in range(CLIENTS)]
    for browser in browsers:
        browser.sign_in()
    durations: list[float] = []
    until = time.perf_counter() + SECONDS

    def read_pages(browser: BrowserClient) -> None:
        while time.perf_counter() < until:
            durations.extend(measure_milliseconds(lambda: expect_status(browser.get("/"), 200), 1))

    _run_concurrently(lambda browser=browser: read_pages(browser) for browser in browsers)  # type: ignore[misc]
    report.add(
        Figure(name="pages a second, 8 clients", value=len(durations) / SECONDS, unit="pages/s", peer=102)
    )
    report.add(Figure(name="  p95 of those pages", value=p95(durations), unit="ms", peer=195))


def _run_concurrently(calls: Iterator[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def read_pages_alongside(served: BenchmarkHousehold, name: str) -> Iterator[list[float]]:
    """Request pages as another person during the `with` block; yield the list of durations in ms."""
    reader, waits, done = BrowserClient(port=served.port, name=name), [], threading.Event()
    reader.sign_in()

    def read() -> None:
        while not done.is_set():
            waits.extend(measure_milliseconds(lambda: expect_status(reader.get("/"), 200), 1))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()


def _measure_sign_ins(
    report: BenchmarkReport, served: BenchmarkHousehold, person: BrowserClient, name: str
) -> None:
    plain = median(measure_milliseconds(lambda: person.get("/healthz"), ROUNDS))
    durations = []
    for _ in range(7):
        fresh = BrowserClient(port=served.port, name=name)
        fresh.get("/sign-in/")
        durations += measure_milliseconds(lambda b=fresh: expect_status(b.sign_in(), 302), 1)  # type: ignore[misc]
    report.add(
        Figure(
            name="sign in",
            value=median(durations),
            unit="ms",
            ratio=median(durations) / plain,
            baseline="/healthz",
            peer=497,
        )
    )
    with read_pages_alongside(served, name) as waits:
        for _ in range(5):
            BrowserClient(port=served.port, name=name).sign_in()
    report.add(Figure(name="longest wait of others during sign-ins", value=max(waits), unit="ms", peer=364))


def _measure_cold_page(report: BenchmarkReport, served: BenchmarkHousehold, name: str) -> None:
    browser = BrowserClient(port=served.port, name=name)
    browser.sign_in()
    requests, size = count_cold_page(browser)
    _, size_by_gzip = count_cold_page(browser, accepted="gzip")
    report.add(Figure(name="cold page: requests", value=requests, unit="", peer=30))
    report.add(Figure(name="cold page: size", value=size / 1000, unit="kB", peer=759))
    report.add(Figure(name="cold page: size without brotli", value=size_by_gzip / 1000, unit="kB"))


def count_cold_page(browser: BrowserClient, *, accepted: str = "gzip, br") -> tuple[int, int]:
    """Return the numbers of requests and bytes that today's page takes with an empty browser cache."""
    page = browser.get("/")
    asked_for = set(" ".join(_ASKED_FOR.findall(page.body)).split())
    wanted, seen, size = list(_RESOURCE.findall(page.body)), set[str](), len(page.body.encode())
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        sent = expect_status(browser.get(path, **{"Accept-Encoding": accepted}), 200)
        size += int(sent.headers["content-length"])
        wanted += [
            _resolve_path(path, other) for other in _find_imports(browser.get(path).body, path, asked_for)
        ]
    return len(seen) + 1, size


def _find_imports(body: str, path: str, asked_for: set[str]) -> list[str]:
    if not path.endswith((".js", ".css")) or "htmx" in path:
        return []
    controllers = [module for name, module in _CONTROLLER.findall(body) if name in asked_for]
    return [*_IMPORTED.findall(body), *controllers]


def _resolve_path(path: str, other: str) -> str:
    if other.startswith("/"):
        return other
    parts = path.split("/")[:-1]
    for step in other.split("/"):
        if step == "..":
            parts.pop()
        elif step != ".":
            parts.append(step)
    return "/".join(parts)
