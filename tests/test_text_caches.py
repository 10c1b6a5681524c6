"""Tests that no cache of the process contains a person's text after they lock."""

import ast
from collections.abc import Iterator

import pytest

from llamora import text_caches
from tests.people import Resident
from tests.source_tree import iter_nodes, source_modules

# Functions of a text that remember answers, and whose text is never a person's.
OWN_TEXTS = {
    "accounts.preferences.languages._format_cached": "days, and codes of languages",
    "accounts.preferences.languages.get_date_words": "codes of languages",
    "accounts.preferences.time_zones.load_time_zone": "names of time zones",
    "accounts.sessions.run_secret._find_household_folder": "folders of this machine",
    "accounts.templating.environment._find_pattern": "names of addresses",
    "accounts.templating.environment._find_static_url": "paths of static files",
    "accounts.throttling.client_ip.normalize_ip": "addresses of machines",
    "diary.calendar.queries._render_month": "codes of languages",
    "diary.days.get_time_zone": "names of time zones",
    "llamora.api.authentication._is_this_machine": "addresses of machines",
    "llamora.crypto.context._encode_names": "field labels",
    "llamora.crypto.context._order_names": "names of columns",
    "llamora.crypto.realms.get_realm": "field labels",
    "llamora.database.sqlite.base.convert_query": "queries, whose values are parameters",
    "llamora.database.sqlite.reading.build_reader": "kinds of columns",
    "llamora.dates.certainty.fold_all": "our own tables",
    "llamora.dates.lexicon.load_lexicon": "codes of languages",
    "llamora.ops.server.proxies._parse_address": "addresses of machines",
    "search.query.folding.fold_character": "one character",
    "traces.detail.heatmap._get_day_label": "days, and codes of languages",
    "traces.facts.proposals.wording._load_words": "codes of languages",
    "traces.facts.transfer.exports.find_confidence": "states and origins, for one export",
    "llamora.fields.fence._list_own_triggers": "the name of a table",
    "llamora.database.indexes._build_declared": "the name of a database",
    "traces.facts.statements._get_tables": "codes of languages",
}
# Patterns that are made in a function, of our own tables.
OWN_PATTERNS = {"llamora.api.call_routes", "llamora.dates.parsing"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def iter_caches() -> Iterator[str]:
    """Yield each function in the source tree that remembers answers by a text."""
    for name, tree in source_modules("cache").items():
        for function in iter_nodes(tree, *_FUNCTIONS):
            decorators = {ast.unparse(one).split("(")[0].split(".")[-1] for one in function.decorator_list}
            arguments = [ast.unparse(one.annotation) for one in function.args.args if one.annotation]
            if decorators & {"cache", "lru_cache"} and any("str" in one for one in arguments):
                yield f"{name}.{function.name}"


def iter_patterns_of_values(tree: ast.Module) -> Iterator[int]:
    """Yield the lines at which a function hands `re` a pattern that is not written there."""
    for function in iter_nodes(tree, *_FUNCTIONS):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            is_of_re = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "re"
            if is_of_re and call.func.attr != "escape" and not isinstance(call.args[0], ast.Constant):  # type: ignore[attr-defined]  # narrowed above
                yield call.lineno


def test_every_cache_by_a_text_is_emptied_or_holds_our_own_texts() -> None:
    assert {*iter_caches()} <= OWN_TEXTS.keys()


def test_no_pattern_is_made_of_a_text() -> None:
    trees = source_modules("re.")
    made = {name: lines for name, tree in trees.items() if (lines := [*iter_patterns_of_values(tree)])}

    assert made.keys() <= OWN_PATTERNS


def test_a_pattern_of_a_text_would_be_found() -> None:
    tree = ast.parse("def find(word, text):\n    return re.search(re.escape(word), text)\n")

    assert [*iter_patterns_of_values(tree)] == [2]


@pytest.mark.django_db(transaction=True)
def test_the_caches_are_empty_after_a_lock(owner: Resident) -> None:
    for cached in text_caches._caches:
        cached("Überfluß")
    before = [cached.cache_info().currsize for cached in text_caches._caches]
    owner.lock()

    assert len(before) >= 3
    assert all(before)
    assert not any(cached.cache_info().currsize for cached in text_caches._caches)
