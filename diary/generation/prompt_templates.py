"""Prompts as text templates.

A file in `<data>/prompts/` overrides the file of the same name in `templates/prompts/`. The text above
a line of `---` is the system message, the text below it the user message. Nothing is escaped, since a prompt
is text, not HTML.
"""

import logging
import time
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template import Context, Engine, Template, TemplateSyntaxError

from llamora.llm.deltas import ChatMessages

logger = logging.getLogger("diary.generation.prompt_templates")

OWN_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "prompts"
SEPARATOR = "\n---\n"
# A template changed on the disk is used after this time: to look each time delays a generation by 1 ms.
FRESH_SECONDS = 10.0


class InvalidPromptTemplate(Exception):  # noqa: N818 - states what is the case
    """Raised for a prompt without a line of `---`, or with invalid template tags; contains no text of it."""


class _PromptTemplate(NamedTuple):
    """A parsed template, and the time at which its file is read again."""

    system: Template
    person: Template
    path: Path
    expires_at: float


_cache: dict[tuple[Path, str], _PromptTemplate] = {}


def render_prompt(name: str, values: dict[str, object]) -> ChatMessages:
    """Return the two messages of a prompt; if the household's template fails, use our own."""
    prompt = _get(name)
    try:
        return _fill(prompt, values)
    except Exception:
        if prompt.path.parent == OWN_TEMPLATES:
            raise
    # The error is not logged: it can quote the values.
    logger.warning("The prompt %s is not used: filling it in failed.", prompt.path)
    own = _cache[settings.DATA_DIR, name] = _load(OWN_TEMPLATES / f"{name}.txt")
    return _fill(own, values)


def _load(path: Path) -> _PromptTemplate:
    engine = Engine(autoescape=False)
    system, rule, person = path.read_text(encoding="utf-8").partition(SEPARATOR)
    if not rule:
        raise InvalidPromptTemplate
    try:
        halves = engine.from_string(system), engine.from_string(person)
    except TemplateSyntaxError:
        raise InvalidPromptTemplate from None
    return _PromptTemplate(*halves, path, expires_at=time.monotonic() + FRESH_SECONDS)


def _find(name: str) -> _PromptTemplate:
    for folder in (settings.DATA_DIR / "prompts", OWN_TEMPLATES):
        path = folder / f"{name}.txt"
        try:
            return _load(path)
        except FileNotFoundError:
            continue
        except (InvalidPromptTemplate, UnicodeDecodeError):
            logger.warning("The prompt %s is not used: it needs a line of --- and valid template tags.", path)
        except OSError:
            logger.warning("The prompt %s is not used: it can't be read.", path)
    raise InvalidPromptTemplate


def _get(name: str) -> _PromptTemplate:
    cached = _cache.get((settings.DATA_DIR, name))
    if cached is None or time.monotonic() > cached.expires_at:
        cached = _cache[settings.DATA_DIR, name] = _find(name)
    return cached


def _fill(prompt: _PromptTemplate, values: dict[str, object]) -> ChatMessages:
    context = Context(values, autoescape=False)
    system, person = prompt.system.render(context).strip(), prompt.person.render(context).strip()
    return [{"role": "system", "content": system}, {"role": "user", "content": person}]
