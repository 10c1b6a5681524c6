"""Tests that the head of a page names exactly the style sheets and rare controllers that the page needs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as household
from django.template import engines
from django.test import Client
from jinja2 import Environment, meta

from llamora.ops.bundles import join_sheets, list_modules
from llamora.ops.static_files import EVERYDAY, STYLESHEETS
from tests.page import HtmlNode, read
from tests.people import Resident
from tests.traces.tagging import add_traces

CONTROLLER = re.compile(r'data-controller="([\w ]+)"')
PRELOAD = re.compile(r"""<link rel="modulepreload" href="\{\{ static\('([\w/.]+)'\) \}\}">""")
CLASSES = re.compile(r'class="([^"]*)"')
SELECTED = re.compile(r"\.([a-z][\w-]*)(?=[^{}]*\{)")
STATIC = Path(household.BASE_DIR) / "static"


def read_static(path: str) -> str:
    return (STATIC / path).read_text()


def list_rare_modules(controllers: set[str]) -> set[str]:
    """Return the modules of controllers, with all that they import, which the bundle does not hold."""
    everyday = {EVERYDAY, *list_modules(EVERYDAY, read_static)}
    modules = {f"js/controllers/{name}.js" for name in controllers}
    return {found for module in modules for found in (module, *list_modules(module, read_static))} - everyday


@pytest.fixture(scope="module")
def environment() -> Environment:
    found: Environment = engines["jinja2"].env  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def sources(environment: Environment) -> dict[str, str]:
    """The source of each template by its name."""
    folder = Path(household.BASE_DIR) / "templates"
    names = [str(path.relative_to(folder)) for path in folder.rglob("*.html")]
    return {name: (folder / name).read_text() for name in names if not name.startswith("django/")}


@pytest.fixture(scope="module")
def parts(environment: Environment, sources: dict[str, str]) -> dict[str, set[str]]:
    """The names of the templates of which each page consists: itself, what it includes, what it extends."""
    named = {
        name: set(filter(None, meta.find_referenced_templates(environment.parse(source))))
        for name, source in sources.items()
    }

    def follow(name: str) -> set[str]:
        return {name}.union(*(follow(other) for other in named[name]))

    return {name: follow(name) for name, source in sources.items() if "{% extends " in source}


def join(names: set[str], find: Callable[[str], list[str]], sources: dict[str, str]) -> set[str]:
    return {found for name in names for found in find(sources[name])}


def test_every_page_preloads_the_modules_of_its_rare_controllers(
    sources: dict[str, str], parts: dict[str, set[str]]
) -> None:
    needed: dict[str, set[str]] = {}
    for page, names in parts.items():
        controllers = {name for found in join(names, CONTROLLER.findall, sources) for name in found.split()}
        needed[page] = list_rare_modules(controllers)
        missing = needed[page] - join(names, PRELOAD.findall, sources)
        assert missing == set(), page

    assert len(set().union(*needed.values())) > 5


def test_no_page_preloads_what_it_has_no_use_for(sources: dict[str, str], parts: dict[str, set[str]]) -> None:
    for template, source in sources.items():
        pages = [names for names in parts.values() if template in names]
        controllers = {
            name
            for names in pages
            for found in join(names, CONTROLLER.findall, sources)
            for name in found.split()
        }
        preloaded = set(PRELOAD.findall(source)) - {EVERYDAY}
        assert preloaded <= list_rare_modules(controllers), template


def test_a_page_links_the_sheet_of_the_pages_of_traces_if_it_uses_one_of_its_classes(
    sources: dict[str, str], parts: dict[str, set[str]]
) -> None:
    everywhere, of_traces = (set(SELECTED.findall(join_sheets(sheet, read_static))) for sheet in STYLESHEETS)

    used = {
        page
        for page, names in parts.items()
        if (of_traces - everywhere)
        & set(re.findall(r"[\w-]+", " ".join(join(names, CLASSES.findall, sources))))
    }
    linking = {name for name, source in sources.items() if STYLESHEETS[1] in source}

    assert {page for page in used if not parts[page] & linking} == set()
    # What links it for many pages does so for some of them. A panel of an entry is in no page here.
    linked = {name for names in parts.values() for name in names & linking}
    assert {name for name in linked if not any(name in parts[page] for page in used)} == set()
    assert 3 < len(linking) < len(parts)


def compare(page: HtmlNode) -> tuple[set[str], set[str]]:
    """Return what a page preloads, and the rare modules of the controllers that it names."""
    preloaded = {path.removeprefix("/static/") for path in page.values('link[rel="modulepreload"]', "href")}
    named = {name for names in page.values("[data-controller]", "data-controller") for name in names.split()}
    return preloaded - {EVERYDAY}, list_rare_modules(named)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/", 0),
        ("/search/", 1),
        ("/settings/", 0),
        ("/settings/key/", 0),
        ("/settings/leave/", 0),
        ("/settings/password/", 1),
        ("/settings/somebody-had-my-key/", 1),
        ("/traces/", 0),
    ],
)
def test_a_page_preloads_what_stands_on_it(owner: Resident, path: str, count: int) -> None:
    preloaded, needed = compare(read(owner.get(path)))

    assert preloaded == needed
    assert len(preloaded) == count


@pytest.mark.django_db
def test_the_pages_of_an_entry_and_of_a_trace_preload_what_stands_on_them(owner: Resident) -> None:
    entry = owner.write("Down to the weir.")
    (trace,) = add_traces(owner, entry, "weir")

    for path in (f"/entries/{entry.id}/edit/", f"/traces/{trace.id}/"):
        preloaded, needed = compare(read(owner.get(path)))
        assert preloaded == needed
        assert len(preloaded) == 1, path


@pytest.mark.django_db
def test_the_pages_before_signing_in_preload_what_stands_on_them(owner: Resident) -> None:
    for path, count in {"/sign-in/": 0, "/recover/": 1}.items():
        preloaded, needed = compare(read(Client().get(path)))
        assert preloaded == needed
        assert len(preloaded) == count, path
