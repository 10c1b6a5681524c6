"""Prompts as text templates.

    version: 2            the header: the version of the prompt, the temperature,
    temperature: 0.3      and a number of words; the text ends with the sentence that reaches it
    words: 60
    ---
    instructions          the system message, without texts of the diary; the owner's persona note, if any,
                          is added at its end unless {{ persona }} says where
    ---
    what to read          the user message, with delimiters around the texts: see `diary.generation.material`

A file in `<data>/prompts/` overrides the file of the same name in `templates/prompts/`. If it has no header,
the header of the built-in file is used. Nothing is escaped, since a prompt is text, not HTML.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import NodeList, TextNode

from diary.generation.material import (
    PERSONA_NAME,
    PERSONA_RULE,
    READING_RULE,
    MaterialAmongInstructions,
    MaterialNotWhole,
    insert_printed,
    make_delimiter_code,
    select_instructions,
    wrap_values,
)
from diary.generation.sample_day import build_sample_values
from llamora.llm.deltas import ChatMessages
from llamora.llm.tokens import TOKENS_PER_MESSAGE, estimate_tokens

logger = logging.getLogger("diary.generation.prompt_templates")

OWN_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "prompts"
SEPARATOR = "\n---\n"
# A template changed on the disk is used after this time: to look each time delays a generation by 1 ms.
FRESH_SECONDS = 10.0
_NOT_USED = "The prompt %s is not used: %s"
# In a template that says itself where the persona note stands.
_PERSONA_TAG = re.compile(r"\{\{ ?persona\b")
_OPTION = re.compile(r"^(version|temperature|words): *([0-9.]+)$", re.MULTILINE)


class InvalidPromptTemplate(Exception):  # noqa: N818 - states what is the case
    """Raised for a prompt template that lacks a line of `---` or has invalid tags.

    The exception does not quote the template.
    """


class PromptOptions(NamedTuple):
    """The version of a prompt, its temperature, and the number of words after which generated text ends."""

    version: str = ""
    temperature: float | None = None
    max_words: int | None = None


class _PromptTemplate(NamedTuple):
    """A parsed template with its options; its file is read again after `expires_at`."""

    options: PromptOptions
    system: Template
    person: Template
    path: Path
    expires_at: float


class PromptReport(NamedTuple):
    """Report on a prompt filled in with a sample day.

    `is_own` if the household's file is used; `problem` says why it is not used although it exists.
    """

    name: str
    options: PromptOptions
    messages: ChatMessages
    tokens: int
    is_own: bool
    problem: str


_cache: dict[tuple[Path, str], _PromptTemplate] = {}


def render_prompt(name: str, values: dict[str, object]) -> ChatMessages:
    """Return the two messages of a prompt; if the household's template fails, use the built-in one."""
    prompt = _get(name)
    try:
        return _fill(prompt, values)
    except Exception as error:
        if prompt.path.parent == OWN_TEMPLATES:
            raise
        # The error is not logged: it can quote the values.
        why = _explain(error)
    logger.warning(_NOT_USED, prompt.path, why)
    own = _cache[settings.DATA_DIR, name] = _load(OWN_TEMPLATES / f"{name}.txt")
    return _fill(own, values)


def list_names() -> list[str]:
    """Return the names of all prompts."""
    return sorted(path.stem for path in OWN_TEMPLATES.glob("*.txt"))


def check_prompt(name: str) -> PromptReport:
    """Fill in a prompt with a sample day, and return a report on it.

    If the household's own file cannot be used, `problem` of the report says why; else it is empty.
    """
    values, problem = build_sample_values(), ""
    for path in _list_paths(name):
        try:
            prompt = _load(path)
            messages = _fill(prompt, values)
        except FileNotFoundError:
            continue
        except Exception as error:
            if path.parent == OWN_TEMPLATES:
                raise
            problem = _NOT_USED % (path, _explain(error))
            continue
        tokens = sum(estimate_tokens(turn["content"]) + TOKENS_PER_MESSAGE for turn in messages)
        is_own = path.parent != OWN_TEMPLATES
        return PromptReport(name, prompt.options, messages, tokens, is_own, problem)
    raise InvalidPromptTemplate


def get_options(name: str) -> PromptOptions:
    """Return the options of a prompt.

    For a household's own file, the version is a digest of the file.
    """
    return _get(name).options


def get_fixed_texts(name: str) -> list[str]:
    """Return the parts of a prompt that do not depend on its values."""
    prompt = _get(name)
    halves = (prompt.system, prompt.person)
    return [
        READING_RULE,
        PERSONA_RULE,
        *(node.s for half in halves for node in _iter_text_nodes(half.nodelist)),
    ]


def _load(path: Path) -> _PromptTemplate:
    engine = Engine(autoescape=False)
    content = path.read_text(encoding="utf-8")
    options = PromptOptions()
    if content.startswith("version:"):
        head, _, content = content.partition(SEPARATOR)
        options = _parse_options(head)
    elif path.parent != OWN_TEMPLATES:
        own = _load(OWN_TEMPLATES / path.name).options
        options = own._replace(version=hashlib.sha256(content.encode()).hexdigest()[:8])
    system, rule, person = content.partition(SEPARATOR)
    if not rule:
        raise InvalidPromptTemplate
    try:
        halves = engine.from_string(system), engine.from_string(person)
    except TemplateSyntaxError:
        raise InvalidPromptTemplate from None
    return _PromptTemplate(options, *halves, path, expires_at=time.monotonic() + FRESH_SECONDS)


def _parse_options(head: str) -> PromptOptions:
    found = dict(_OPTION.findall(head))
    try:
        return PromptOptions(
            version=found.get("version", ""),
            temperature=float(found["temperature"]) if "temperature" in found else None,
            max_words=int(found["words"]) if "words" in found else None,
        )
    except ValueError:
        raise InvalidPromptTemplate from None


def _iter_text_nodes(nodes: NodeList) -> Iterator[TextNode]:
    yield from (node for node in nodes.get_nodes_by_type(TextNode) if isinstance(node, TextNode))


def _list_paths(name: str) -> list[Path]:
    """Return the paths of a prompt, in order of preference: the household's file, then the built-in one."""
    return [folder / f"{name}.txt" for folder in (settings.DATA_DIR / "prompts", OWN_TEMPLATES)]


def _find(name: str) -> _PromptTemplate:
    for path in _list_paths(name):
        try:
            return _load(path)
        except FileNotFoundError:
            continue
        except (InvalidPromptTemplate, UnicodeDecodeError, OSError) as error:
            logger.warning(_NOT_USED, path, _explain(error))
    raise InvalidPromptTemplate


def _explain(error: Exception) -> str:
    """Return why a template is not used, in words that quote nothing of the error."""
    match error:
        case InvalidPromptTemplate() | UnicodeDecodeError():
            return "it needs a line of --- and valid template tags."
        case OSError():
            return "it can't be read."
        case MaterialAmongInstructions():
            return "a text to read may stand only below its line of ---."
        case MaterialNotWhole():
            return "a text to read may be printed only as it is, without a filter."
    return "filling it in failed."


def _get(name: str) -> _PromptTemplate:
    cached = _cache.get((settings.DATA_DIR, name))
    if cached is None or time.monotonic() > cached.expires_at:
        cached = _cache[settings.DATA_DIR, name] = _find(name)
    return cached


def _fill(prompt: _PromptTemplate, values: dict[str, object]) -> ChatMessages:
    code, printed = make_delimiter_code(), list[str]()
    instructions = select_instructions(values)
    persona = str(instructions.get(PERSONA_NAME) or "")
    system = prompt.system.render(Context(instructions, autoescape=False)).strip()
    person = prompt.person.render(Context(wrap_values(values, code, printed), autoescape=False)).strip()
    parts = [system, READING_RULE.format(code=code)]
    if persona and not _PERSONA_TAG.search(str(prompt.system.source)):
        parts.insert(1, f"{PERSONA_RULE}\n\n{persona}")
    return [
        {"role": "system", "content": "\n\n".join(parts)},
        {"role": "user", "content": insert_printed(person, code, printed)},
    ]
