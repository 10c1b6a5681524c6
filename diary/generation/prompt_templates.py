"""Prompts: text templates in `templates/prompts/`, or of the same name in `<data>/prompts/`, which go before.

Everything above a line of `---` is the system's turn, everything below it the person's. What is filled in
is text, not HTML: nothing is escaped.
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
# A prompt changed on the disk is used after this long; to look each time costs the first word a millisecond.
FRESH_SECONDS = 10.0


class InvalidPromptTemplate(Exception):  # noqa: N818 - states what is the case
    """A prompt has no line of `---`, or is no template; its text is not repeated here."""


class _PromptTemplate(NamedTuple):
    """A prompt as it was read, and until when it is not looked for again."""

    system: Template
    person: Template
    path: Path
    expires_at: float


_cache: dict[tuple[Path, str], _PromptTemplate] = {}


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
            logger.warning("%s is not used: it needs a line of --- and correct template tags.", path)
        except OSError:
            logger.warning("%s is not used: it cannot be read.", path)
    raise InvalidPromptTemplate


def _get(name: str) -> _PromptTemplate:
    known = _cache.get((settings.DATA_DIR, name))
    if known is None or time.monotonic() > known.expires_at:
        known = _cache[settings.DATA_DIR, name] = _find(name)
    return known


def _fill(prompt: _PromptTemplate, values: dict[str, object]) -> ChatMessages:
    context = Context(values, autoescape=False)
    system, person = prompt.system.render(context).strip(), prompt.person.render(context).strip()
    return [{"role": "system", "content": system}, {"role": "user", "content": person}]


def render_prompt(name: str, values: dict[str, object]) -> ChatMessages:
    """Return the two turns of a prompt, filled in; ours where one of the household breaks at that."""
    prompt = _get(name)
    try:
        return _fill(prompt, values)
    except Exception:
        if prompt.path.parent == OWN_TEMPLATES:
            raise
    # Its error is not logged: it can quote what was filled in.
    logger.warning("%s is not used: it breaks when it is filled in.", prompt.path)
    own = _cache[settings.DATA_DIR, name] = _load(OWN_TEMPLATES / f"{name}.txt")
    return _fill(own, values)
