"""Tests of static files: a small first page; bundled, compressed and hashed files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from llamora.ops.benchmarks.client import BrowserClient
from llamora.ops.benchmarks.pages import ORDINARY, count_cold_page
from tests.server import run_server

MOST_REQUESTS, MOST_BYTES = 12, 60_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserClient]:
    """A browser of the household's first person, with an ordinary day of entries."""
    with run_server(tmp_path_factory.mktemp("household")) as server:
        browser = BrowserClient(port=server.port)
        browser.register("Ada", set_up=str(server.set_up_link).rpartition("=")[2])
        today = re.findall(r'data-day="([\d-]+)"', browser.get("/").body)[0]
        for text in ORDINARY:
            assert browser.save(text, day=today).status == 200
        yield browser


@pytest.mark.parametrize("accepted", ["gzip, br", "gzip"])
def test_a_cold_page_takes_few_requests_and_few_bytes(browser: BrowserClient, accepted: str) -> None:
    requests, size = count_cold_page(browser, accepted=accepted)

    assert requests <= MOST_REQUESTS
    assert 30_000 < size <= MOST_BYTES


@pytest.mark.parametrize("accepted", ["br", "gzip"])
def test_a_page_names_files_that_are_compressed_and_stay_as_they_are(
    browser: BrowserClient, accepted: str
) -> None:
    named = re.findall(r'(?:href|src)="(/static/[^"#]+\.(?:css|js))"', browser.get("/").body)

    answers = [browser.get(path, **{"Accept-Encoding": accepted}) for path in named]

    assert len(answers) == 4
    for answer in answers:
        assert answer.status == 200
        assert answer.headers["content-encoding"] == accepted
        assert "immutable" in answer.headers["cache-control"]


def test_what_is_collected_asks_for_no_part_of_a_bundle(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "llamora.ops.static_files.HashedStaticFilesStorage"},
    }

    call_command("collectstatic", verbosity=0, interactive=False)
    sheets = [*(tmp_path / "css").glob("app.????????????.css")]
    sheets += (tmp_path / "css").glob("occasional-pages.????????????.css")
    (everyday,) = (tmp_path / "js").glob("everyday.????????????.js")
    modules = list((tmp_path / "js").rglob("*.????????????.js"))
    imported = {
        path for module in modules for path in re.findall(r'"(\.\.?/[\w./]+\.js)"', module.read_text())
    }

    assert ["@import" in sheet.read_text() for sheet in sheets] == [False, False]
    assert "@layer tokens{" in sheets[0].read_text()
    assert len(modules) == len(list((tmp_path / "js").rglob("*.????????????.js.br"))) > 5
    assert imported >= {f"./{everyday.name}", f"../{everyday.name}"}
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", path) for path in imported)
    assert list((tmp_path / "admin").rglob("*.css.gz"))
    assert not list((tmp_path / "admin").rglob("*.br"))
