"""The actions and replies of an entry, rendered once with placeholders that are then replaced.

A day of sixty entries has some five thousand tags; nine tenths of them are the same but for an id.
"""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from diary.entries.presenters import EntryView
from diary.hooks import EntryPanel
from diary.models import ReplyKind
from diary.replies.section import ReplyView, render_reply

register = template.Library()

_ENTRY_MARK, _OWNER_MARK = uuid4(), uuid4()
_TOKEN_MARK, _CONTEXT_MENUS_MARK, _CUSTOM_KINDS_MARK = uuid4().hex, uuid4().hex, uuid4().hex


@register.simple_tag(takes_context=True)
def entry_actions(context: Context, entry: EntryView) -> SafeString:
    """Return the actions of an entry; the apps above add to its menu of reply styles."""
    filled = (
        _render_actions_template()
        .replace(str(_ENTRY_MARK), str(entry.id))
        .replace(str(_OWNER_MARK), str(context["owner_id"]))
    )
    filled = filled.replace(_TOKEN_MARK, _get_token(context)).replace(_CUSTOM_KINDS_MARK, entry.custom_kinds)
    menus = "".join(_render_menu(context, panel) for panel in entry.panels if panel.menu)
    return mark_safe(filled.replace(_CONTEXT_MENUS_MARK, menus))  # noqa: S308 - all of it comes out of templates


@register.simple_tag(takes_context=True)
def reply_section(context: Context, reply: ReplyView) -> SafeString:
    """Return a reply as it is shown under its entry."""
    owner_id = UUID(str(context["owner_id"]))
    return mark_safe(render_reply(reply, owner_id=owner_id, token=_get_token(context)))  # noqa: S308 - as above


def _get_token(context: Context) -> str:
    return str(context.get("csrf_token", ""))


def _render_menu(context: Context, panel: EntryPanel) -> str:
    assert context.template is not None
    with context.push(part=panel.content):
        return str(context.template.engine.get_template(panel.menu).render(context))


@lru_cache(maxsize=1)
def _render_actions_template() -> str:
    marks = {
        "entry_id": _ENTRY_MARK,
        "owner_id": _OWNER_MARK,
        "csrf_token": _TOKEN_MARK,
        "kinds": ReplyKind.list_in_menu(),
        "menus": _CONTEXT_MENUS_MARK,
        "custom_kinds": _CUSTOM_KINDS_MARK,
    }
    return render_to_string("diary/fragments/entry_actions.html", marks)
