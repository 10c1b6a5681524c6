"""What repeats under every entry: rendered once, and filled in by replacing, names last and all escaped."""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from traces.presenting import Chip, OnEntry

register = template.Library()

_ENTRY, _TRACE, _OWNER = uuid4(), uuid4(), uuid4()
_NAME, _TOKEN = uuid4().hex, uuid4().hex


@register.simple_tag
def kept_chip(chip: Chip, entry_id: UUID) -> SafeString:
    """Return a kept trace with its panel."""
    filled = _chip().replace(str(_ENTRY), str(entry_id)).replace(str(_TRACE), str(chip.id))
    return mark_safe(filled.replace(_NAME, escape(chip.name)))  # noqa: S308 - a template, and what is escaped


@register.simple_tag(takes_context=True)
def adding(context: Context, part: OnEntry) -> SafeString:
    """Return the form that adds a trace; what was typed into a refused one is in it again."""
    if part.error or part.is_adding:
        said = {"part": part, **{name: context.get(name) for name in ("csrf_token", "owner_id")}}
        return mark_safe(render_to_string("traces/fragments/adding.html", said))  # noqa: S308 - as above
    filled = _adding().replace(str(_ENTRY), str(part.entry_id)).replace(str(_OWNER), str(context["owner_id"]))
    return mark_safe(filled.replace(_TOKEN, str(context.get("csrf_token", ""))))  # noqa: S308 - as above


@lru_cache(maxsize=1)
def _chip() -> str:
    chip = Chip(id=_TRACE, name=_NAME)
    return render_to_string("traces/fragments/chip.html", {"chip": chip, "entry_id": _ENTRY})


@lru_cache(maxsize=1)
def _adding() -> str:
    marks = {"part": OnEntry(entry_id=_ENTRY), "owner_id": _OWNER, "csrf_token": _TOKEN}
    return render_to_string("traces/fragments/adding.html", marks)
