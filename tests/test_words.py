"""Rules for the words of the interface, and for the length of template lines.

The rules are applied to the texts of all templates, the strings of Python and of scripts except docstrings,
and the README.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.conftest import ROOT
from tests.test_architecture import PACKAGES

TEMPLATES, SCRIPTS = ROOT / "templates", ROOT / "static" / "js"
LONGEST_LINE = 120
# Their strings are read by programmers, and may use the words of the code. Those of `dates` are tables of
# words that people write.
UNREAD = {"migrations", "crypto", "dates", "fields", "database", "llm", "threads", "benchmarks", "emoji.py"}
UNREAD |= {"irregular_verbs.py"}

# What must not be said, as an expression, and what is said instead.
WORDS = {
    r"keepers?": "administrator",
    r"kept": "saved; of backups: retained",
    r"keep(s|ing)? (it|this|that|them|your words) (on|again|as a new)": "save",
    r"some(body|bodies)": "someone, another person",
    r"anybody": "anyone",
    r"house|houses": "household, machine",
    r"the door": "sign in",
    r"seal(s|ed|ing)?": "encrypted",
    r"anew": "again, new",
    r"respond(s|ed)?": "reply",
    r"other ways": "Reply as…",
    r"what was read|had read for it": "Sources",
    r"was read for this": "Sources",
    r"ways? in": "way to unlock",
    r"as yet": "yet",
    r"let(ting)? go of": "discard, delete",
    r"called so": "has this name",
    r"otherwise first": "rename first",
    r"until you say otherwise": "until you turn it off",
    r"of your own": "your own",
    r"cannot be told": "say what is known, or nothing",
    r"gives? way": "is replaced by",
    r"speaks? of the same": "related",
    r"come near": "related",
    r"do(es)? not belong together": "wrong name or password",
    r"switched (on|off)|switch(es)? (it|them) (on|off)": "turned on, turned off",
    r"shut(s|ting)? (them |you )?out": "lock out",
    r"nowhere else": "not anywhere else",
    r"not let through": "expired",
    r"put back|puts back|brought back|bring back": "restore",
    r"br(oke|oken|eaks?) off": "stopped",
    r"lead about": "say what the switch does",
    r"very often in a short time": "too many tries",
    r"made ready": "prepared",
    r"there is none yet": "name what there is none of",
    r"model for meaning": "related-entry search",
    r"cannot": "can't",
    r"any day": "Random day",
    r"look(s|ed)? again": "reload, check if it is finished",
    r"half a character": "a broken character",
    r"fence": "say what it rejects",
    r"(?<!\.)epochs?": "key, version of the key",
    r"envelopes?": "encrypted values",
    r"(do|does) not open": "can't be decrypted, can't be opened",
    r"peers?": "similar project",
    r"strays?|stray files": "leftover files",
    r"swept|sweeps?": "deleted",
    r"put right": "bad",
    r"past (its|their) (time|limits?)": "expired",
    r"no household": "Llamora is not set up here yet",
    r"nobody's key": "without anyone's password",
    r"set aside": "moved, replaced",
    r"of then": "when the backup was made",
    r"close it with": "to stop that, run",
    r"look(ed|s)? into": "open",
    r"read back": "say what was compared",
    r"has closed": "has stopped",
    r"Llamora's": "of Llamora",
    r"(the (month|year|day)|month) (before|after)": "previous, next",
    r"on to": "forward to",
    r"begin here": "say what the link does",
}
# Names of models that exports have as keys, and that never change.
FROZEN = {"kept trace", "kept traces"}
# What must not stand alone on a link, a button or in a heading.
LABELS = {
    r"keep(?! (both|the|this|my)\b).*": "Save, Add",
    r"keys": "Keyboard shortcuts",
    r"you( ·.*)?": "Settings",
    r"go on": "Continue",
    r"leave": "say what is left or deleted",
    r"lead about|do nothing by themselves": "On, Off",
    r"to the door": "Back to sign in",
}
LABELLED = 'a, button, h1, h2, h3, legend, label, summary, title, option, input[type="submit"]'
VISIBLE = ("aria-label", "aria-description", "alt", "placeholder", "title", "data-label", "data-confirm")

# Still being rewritten. An app whose words are all plain is taken out of here; the list gets shorter only.
NOT_YET: frozenset[str] = frozenset()

_CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_STRING = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
_SCRIPT_STRING = re.compile(r"\"([^\"\n]*)\"|`([^`]*)`")
_SCRIPT_COMMENT = re.compile(r"^\s*(//|\*|/\*).*$", re.MULTILINE)
_ANY_WORD = re.compile("|".join(rf"\b(?:{word})\b" for word in WORDS), re.IGNORECASE)


class Said(NamedTuple):
    """A text that people read, its place, and whether it is a label."""

    where: str
    text: str
    is_label: bool = False


def read_template(source: str, *, where: str) -> Iterator[Said]:
    """Yield the texts of a template, its visible attributes, and the strings in its code."""
    for code in _CODE.findall(source):
        if not code.startswith("{#"):
            strings = ("".join(found) for found in _STRING.findall(code))
            yield from (Said(where, text) for text in strings if " " in text)
    page = LexborHTMLParser(_CODE.sub("", source))
    yield Said(where, page.root.text(separator=" ") if page.root else "")
    for node in page.css("*"):
        values = [node.attributes.get(name) for name in VISIBLE]
        if node.attributes.get("type") in ("submit", "button"):
            values.append(node.attributes.get("value"))
        yield from (Said(where, value, is_label=True) for value in values if value)
    yield from (Said(where, node.text(), is_label=True) for node in page.css(LABELLED))


def read_module(source: str, *, where: str) -> Iterator[Said]:
    """Yield the strings of a module with several words, except docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and " " in node.value.strip() and node.value not in FROZEN:
            yield Said(f"{where}:{node.lineno}", node.value)


def read_script(source: str, *, where: str) -> Iterator[Said]:
    """Yield the strings of a script with several words."""
    found = _SCRIPT_STRING.findall(_SCRIPT_COMMENT.sub("", source))
    yield from (Said(where, text) for text in ("".join(each) for each in found) if " " in text.strip())


def find_words(said: Said) -> list[str]:
    """Return the forbidden words in a text, each with its replacement."""
    text = " ".join(said.text.split())
    found = []
    if _ANY_WORD.search(text):
        for word, better in WORDS.items():
            if match := re.search(rf"\b(?:{word})\b", text, re.IGNORECASE):
                found.append(f"{said.where}: “{match[0]}” in “{_shorten(text, match)}”: {better}")
    if said.is_label:
        for label, better in LABELS.items():
            if re.fullmatch(label, text, re.IGNORECASE):
                found.append(f"{said.where}: “{text}”: {better}")
    return found


def _shorten(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 30) : match.end() + 30]


@cache
def list_faults() -> dict[str, list[str]]:
    """Return the problems by app; base templates and the admin count as accounts."""
    faults: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TEMPLATES.rglob("*.html")):
        app = path.relative_to(TEMPLATES).parts[0]
        for said in read_template(path.read_text(), where=str(path.relative_to(ROOT))):
            faults[app if app in PACKAGES else "accounts"] += find_words(said)
    for app in PACKAGES:
        for path in sorted((ROOT / app).rglob("*.py")):
            if not UNREAD.intersection(path.relative_to(ROOT).parts):
                for said in read_module(path.read_text(), where=str(path.relative_to(ROOT))):
                    faults[app] += find_words(said)
    for path in sorted(SCRIPTS.rglob("*.js")):
        for said in read_script(path.read_text(), where=str(path.relative_to(ROOT))):
            faults["scripts"] += find_words(said)
    return {app: list(dict.fromkeys(found)) for app, found in faults.items()}


@pytest.mark.parametrize("app", sorted({*PACKAGES, "scripts"} - NOT_YET))
def test_the_interface_speaks_plainly(app: str) -> None:
    faults = list_faults().get(app, [])

    assert not faults, "\n".join(faults)


def test_the_readme_speaks_plainly_up_to_the_part_about_the_code() -> None:
    text, _, code = (ROOT / "README.md").read_text().partition("\n## How the code is laid out\n")
    said = Said("README.md", re.sub(r"```.*?```|`[^`]*`", "…", text, flags=re.DOTALL))

    assert code
    assert find_words(said) == []


def test_an_app_that_speaks_plainly_is_taken_out_of_the_list() -> None:
    done = {app for app in NOT_YET if not list_faults().get(app)}

    assert not done, f"nothing is left to rewrite in these, take them out of NOT_YET: {sorted(done)}"


@pytest.mark.parametrize(
    "source",
    [
        "<p>Ask the\nkeeper of it.</p>",
        '<svg aria-label="Keys"></svg>',
        '<input type="submit" value="Keep">',
        "<button>\n{{ icon }}\nKeep weir</button>",
        '{% set reason = "Choose one of your own." %}',
        "{% block title %}<title>You · Llamora</title>{% endblock %}",
    ],
)
def test_a_word_that_must_not_be_said_is_found_in_a_template(source: str) -> None:
    assert any(find_words(said) for said in read_template(source, where="here"))


@pytest.mark.parametrize(
    "source",
    [
        '<p class="kept" data-keeper="1">Saved.</p>',
        "{# somebody else #}<button>Keep the saved version</button>",
        "{% if row.kept %}<p>On</p>{% endif %}",
    ],
)
def test_what_nobody_reads_is_not_looked_at(source: str) -> None:
    assert not [word for said in read_template(source, where="here") for word in find_words(said)]


def test_sentences_are_found_in_modules_and_scripts() -> None:
    module = list(read_module('"""The keeper."""\nTEXT = f"Ask the keeper of {name}."\n', where="here"))
    script = list(read_script('// somebody else\nsay("This is sealed now.", "sealed");\n', where="here"))

    assert [len(find_words(said)) for said in module] == [1]
    assert [len(find_words(said)) for said in script] == [1]


def _list_long_lines(path: Path) -> list[int]:
    lines = path.read_text().splitlines()
    return [number for number, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE]


def test_no_line_of_a_template_is_too_long() -> None:
    paths = {str(path.relative_to(TEMPLATES)): path for path in sorted(TEMPLATES.rglob("*.html"))}
    too_long = {name: lines for name, path in paths.items() if (lines := _list_long_lines(path))}

    assert too_long == {}
