"""Rules for templates and for HTML in Python."""

import ast
import re
from collections.abc import Iterator

from tests.source_tree import iter_nodes, source_modules
from tests.test_words import TEMPLATES

_NAMES = (
    "a|article|aside|b|body|button|dd|details|div|dl|dt|em|fieldset|footer|form|h[1-6]|header|html|i|input|label|"
    "legend|li|main|mark|nav|ol|option|p|s|section|select|span|strong|summary|svg|table|td|textarea|th|tr|ul"
)
_TAG = re.compile(rf"<({_NAMES})( [a-z-]+=|>|/>)")
# Each with its reason.
_WRITES_TAGS = {
    "accounts.admin.site": "Django's own checkbox, as the heading of a column",
    "diary.rendering.passage_highlights": "marks around words of HTML that is rendered already",
    "diary.rendering.markdown": "what a text becomes that is not read as Markdown",
    "search.ask.section": "the number of a source in an answer, which becomes a link",
    "llamora.ops.server.body_limits": "the refusal of a body, before Django has the request",
    "llamora.ops.benchmarks.client": "reads pages, as a person's browser does",
}


def find_html(tree: ast.Module) -> Iterator[str]:
    """Yield the strings of a module that contain a tag, except docstrings."""
    docstrings = {id(node.value) for node in iter_nodes(tree, ast.Expr)}
    for node in iter_nodes(tree, ast.Constant):
        if isinstance(node.value, str) and id(node) not in docstrings and _TAG.search(node.value):
            yield node.value


def test_html_is_written_in_templates() -> None:
    found = {module: list(find_html(tree)) for module, tree in source_modules("<").items()}

    assert {module: html for module, html in found.items() if html and module not in _WRITES_TAGS} == {}
    assert [module for module in _WRITES_TAGS if not found[module]] == []


def test_a_tag_in_a_module_is_found() -> None:
    tree = ast.parse('"""A `<p>`."""\ndef f(x):\n    return f\'<p class="a">{x}</p>\'')

    assert list(find_html(tree)) == ['<p class="a">']


# The end of a line after a block tag is left out of the page.
_GLUED = re.compile(r"[^\s>}]\{% end(?:if|for) %\}\n(?:<(?:a|bdi|strong|button)\b|[A-Za-z])")


def find_glued(source: str) -> list[str]:
    """Return the places of a template at which two words of a sentence stand together without a space."""
    return [source[max(0, found.start() - 20) : found.end()] for found in _GLUED.finditer(source)]


def test_words_around_a_block_tag_are_apart() -> None:
    found = {path.name: find_glued(path.read_text()) for path in TEMPLATES.rglob("*.html")}

    assert {name: places for name, places in found.items() if places} == {}
    assert find_glued("wait for you.{% endif %}\n<a href=''>Look</a>") != []
