"""How a browser is given its half of a session's key."""

from django.http import HttpRequest, HttpResponse

from accounts import sessions
from accounts.cookies import SessionCookie, set_cookie


def keep_cookie(request: HttpRequest, response: HttpResponse, cookie: SessionCookie) -> None:
    """Set a session's cookie, for as long as its sign-in lasts."""
    age = sessions.age_of_cookie(cookie.sign_in_id)
    set_cookie(response, cookie, secure=request.is_secure(), age=age)
