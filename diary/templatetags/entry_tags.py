"""What repeats on a page with every entry and reply: rendered once, and filled in by replacing.

A day of sixty entries has some five thousand tags; nine tenths of them say the same but for an id.
"""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from diary.entries.presenters import EntryView
from diary.replies.presenters import ReplyView, render_section

register = template.Library()

_ENTRY_MARK, _OWNER_MARK = uuid4(), uuid4()
_TOKEN_MARK, _MENUS_MARK, _CUSTOM_KINDS_MARK = uuid4().hex, uuid4().hex, uuid4().hex


@register.simple_tag(takes_context=True)
def acts(context: Context, entry: EntryView) -> SafeString:
    """Return what can be done with an entry; apps above add to its ways of answering."""
    filled = (
        _render_actions_template()
        .replace(str(_ENTRY_MARK), str(entry.id))
        .replace(str(_OWNER_MARK), str(context["owner_id"]))
    )
    filled = filled.replace(_TOKEN_MARK, _get_token(context)).replace(_CUSTOM_KINDS_MARK, entry.own_ways)
    menus = "".join(_render_menu(context, part.menu, part.shown) for part in entry.parts if part.menu)
    return mark_safe(filled.replace(_MENUS_MARK, menus))  # noqa: S308 - all of it comes out of templates


@register.simple_tag(takes_context=True)
def reply_section(context: Context, reply: ReplyView) -> SafeString:
    """Return a reply as it stands under its entry."""
    owner_id = UUID(str(context["owner_id"]))
    return mark_safe(render_section(reply, owner_id=owner_id, token=_get_token(context)))  # noqa: S308 - as above


def _get_token(context: Context) -> str:
    return str(context.get("csrf_token", ""))


def _render_menu(context: Context, name: str, part: object) -> str:
    assert context.template is not None
    with context.push(part=part):
        return str(context.template.engine.get_template(name).render(context))


@lru_cache(maxsize=1)
def _render_actions_template() -> str:
    marks = {
        "entry_id": _ENTRY_MARK,
        "owner_id": _OWNER_MARK,
        "csrf_token": _TOKEN_MARK,
        "menus": _MENUS_MARK,
        "own_ways": _CUSTOM_KINDS_MARK,
    }
    return render_to_string("diary/fragments/entry_actions.html", marks)
