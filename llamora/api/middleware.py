"""Middleware that passes calls of programs straight to their views."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from accounts.http.headers import get_plain_page_headers
from llamora.api.urls import find_call

MCP_PATH: Final = "/mcp"


class ProgramMiddleware:
    """Middleware that calls the view of a program's request directly, and skips all later middleware.

    A call has no cookie, form, session, message or script, so the middleware for these would do nothing for
    it, and would take longer than many calls. Requests for pages of the API, such as its documentation, pass
    through all middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if found := find_call(path):
            view, parts = found.view, found.parts
        elif path == MCP_PATH:
            match = resolve(path)
            view, parts = match.func, match.kwargs
        else:
            return self.get_response(request)
        # Raises DisallowedHost for a name that is not the server's.
        request.get_host()
        response = view(request, **parts)
        for name, value in get_plain_page_headers().items():
            response.headers.setdefault(name, value)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response
