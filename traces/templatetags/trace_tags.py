"""Chips and forms of traces, rendered once with placeholders that are then replaced; names are escaped."""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from traces.tagging.presenters import TraceChip, TracesOnEntry

register = template.Library()

_ENTRY, _TRACE, _OWNER = uuid4(), uuid4(), uuid4()
_NAME, _TOKEN = uuid4().hex, uuid4().hex


@register.simple_tag
def trace_chip(chip: TraceChip, entry_id: UUID) -> SafeString:
    """Return the chip of a trace on an entry, with its preview."""
    filled = _render_chip_pattern().replace(str(_ENTRY), str(entry_id)).replace(str(_TRACE), str(chip.id))
    return mark_safe(filled.replace(_NAME, escape(chip.name)))  # noqa: S308 - a template, and what is escaped


@register.simple_tag(takes_context=True)
def add_trace_form(context: Context, part: TracesOnEntry) -> SafeString:
    """Return the form that adds a trace, with what was typed if that was refused."""
    if part.error or part.is_adding:
        form_context = {"part": part, **{name: context.get(name) for name in ("csrf_token", "owner_id")}}
        return mark_safe(render_to_string("traces/fragments/add_form.html", form_context))  # noqa: S308 - as above
    filled = (
        _render_form_pattern()
        .replace(str(_ENTRY), str(part.entry_id))
        .replace(str(_OWNER), str(context["owner_id"]))
    )
    return mark_safe(filled.replace(_TOKEN, str(context.get("csrf_token", ""))))  # noqa: S308 - as above


@lru_cache(maxsize=1)
def _render_chip_pattern() -> str:
    chip = TraceChip(id=_TRACE, name=_NAME)
    return render_to_string("traces/fragments/chip.html", {"chip": chip, "entry_id": _ENTRY})


@lru_cache(maxsize=1)
def _render_form_pattern() -> str:
    marks = {"part": TracesOnEntry(entry_id=_ENTRY), "owner_id": _OWNER, "csrf_token": _TOKEN}
    return render_to_string("traces/fragments/add_form.html", marks)
