"""Recognition of browsers before their request is handled: from the session cookie or the device cookie.

Many requests from one address delay each other. A browser that is recognised has a place apart from its
address, so that whoever shares the address cannot keep it out.
"""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from accounts.models import Person
from accounts.sessions.scope import get_cookie, get_session_cookie
from accounts.sessions.services import find_person_id
from accounts.throttling import device_cookie


def find_recognised_browser(scope: dict[str, Any], body: bytes) -> str:
    """Return a key for the browser of a request that is signed in, or was before with the name in its form.

    Return "" for any other browser.
    """
    if person_id := find_person_id(get_session_cookie(scope)):
        return f"person {person_id}"
    known = get_cookie(scope, device_cookie.COOKIE_NAME)
    if not known:
        return ""
    try:
        name = QueryDict(body).get("name", "")
    except (SuspiciousOperation, UnicodeDecodeError):
        return ""
    person = Person.objects.find_by_name(str(name))
    return device_cookie.get_throttle_key(known, person_id=person.id) if person else ""
