"""What repeats on a page with every entry and reply: rendered once, and filled in by replacing.

A day of sixty entries has some five thousand tags; nine tenths of them say the same but for an id.
"""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from diary.replies.presenting import ReplyView, section
from diary.shown import EntryView

register = template.Library()

_ENTRY, _OWNER = uuid4(), uuid4()
_TOKEN, _MENUS, _WAYS = uuid4().hex, uuid4().hex, uuid4().hex


@register.simple_tag(takes_context=True)
def acts(context: Context, entry: EntryView) -> SafeString:
    """Return what can be done with an entry; apps above add to its ways of answering."""
    filled = _acts().replace(str(_ENTRY), str(entry.id)).replace(str(_OWNER), str(context["owner_id"]))
    filled = filled.replace(_TOKEN, _token(context)).replace(_WAYS, entry.own_ways)
    menus = "".join(_rendered(context, part.menu, part.shown) for part in entry.parts if part.menu)
    return mark_safe(filled.replace(_MENUS, menus))  # noqa: S308 - all of it comes out of templates


@register.simple_tag(takes_context=True)
def reply_section(context: Context, reply: ReplyView) -> SafeString:
    """Return a reply as it stands under its entry."""
    owner_id = UUID(str(context["owner_id"]))
    return mark_safe(section(reply, owner_id=owner_id, token=_token(context)))  # noqa: S308 - as above


def _token(context: Context) -> str:
    return str(context.get("csrf_token", ""))


def _rendered(context: Context, name: str, part: object) -> str:
    assert context.template is not None
    with context.push(part=part):
        return str(context.template.engine.get_template(name).render(context))


@lru_cache(maxsize=1)
def _acts() -> str:
    marks = {"entry_id": _ENTRY, "owner_id": _OWNER, "csrf_token": _TOKEN, "menus": _MENUS, "own_ways": _WAYS}
    return render_to_string("diary/fragments/acts.html", marks)
