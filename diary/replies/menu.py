"""A person's own ways of answering as buttons of the menu under each entry, made once for a page."""

from uuid import UUID

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from diary.replies.kinds import own_kinds


def own_ways(owner_id: UUID) -> SafeString:
    """Return the buttons, without what belongs to one entry; needs the owner's keyring in force."""
    ways = own_kinds(owner_id)
    if not ways:
        return SafeString()
    html = render_to_string("diary/fragments/own_ways.html", {"ways": ways})
    return mark_safe(html)  # noqa: S308 - out of a template
