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

from llamora.llm.deltas import Turns

logger = logging.getLogger("diary.prompts")

OWN = Path(__file__).resolve().parent.parent / "templates" / "prompts"
RULE = "\n---\n"
# A prompt changed on the disk is used after this long; to look each time costs the first word a millisecond.
FRESH_SECONDS = 10.0


class NoPrompt(Exception):  # noqa: N818 - states what is the case
    """A prompt has no line of `---`, or is no template; its text is not repeated here."""


class _Prompt(NamedTuple):
    """A prompt as it was read, and until when it is not looked for again."""

    system: Template
    person: Template
    path: Path
    until: float


_known: dict[tuple[Path, str], _Prompt] = {}


def _read(path: Path) -> _Prompt:
    engine = Engine(autoescape=False)
    system, rule, person = path.read_text(encoding="utf-8").partition(RULE)
    if not rule:
        raise NoPrompt
    try:
        halves = engine.from_string(system), engine.from_string(person)
    except TemplateSyntaxError:
        raise NoPrompt from None
    return _Prompt(*halves, path, until=time.monotonic() + FRESH_SECONDS)


def _look_for(name: str) -> _Prompt:
    for folder in (settings.DATA_DIR / "prompts", OWN):
        path = folder / f"{name}.txt"
        try:
            return _read(path)
        except FileNotFoundError:
            continue
        except (NoPrompt, UnicodeDecodeError):
            logger.warning("%s is not used: it needs a line of --- and correct template tags.", path)
        except OSError:
            logger.warning("%s is not used: it cannot be read.", path)
    raise NoPrompt


def _prompt(name: str) -> _Prompt:
    known = _known.get((settings.DATA_DIR, name))
    if known is None or time.monotonic() > known.until:
        known = _known[settings.DATA_DIR, name] = _look_for(name)
    return known


def _filled(prompt: _Prompt, values: dict[str, object]) -> Turns:
    context = Context(values, autoescape=False)
    system, person = prompt.system.render(context).strip(), prompt.person.render(context).strip()
    return [{"role": "system", "content": system}, {"role": "user", "content": person}]


def turns(name: str, values: dict[str, object]) -> Turns:
    """Return the two turns of a prompt, filled in; ours where one of the household breaks at that."""
    prompt = _prompt(name)
    try:
        return _filled(prompt, values)
    except Exception:
        if prompt.path.parent == OWN:
            raise
    # Its error is not logged: it can quote what was filled in.
    logger.warning("%s is not used: it breaks when it is filled in.", prompt.path)
    own = _known[settings.DATA_DIR, name] = _read(OWN / f"{name}.txt")
    return _filled(own, values)
