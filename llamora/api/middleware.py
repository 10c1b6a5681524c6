"""Middleware that answers calls of programs, which need nothing of what pages do."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

from accounts.http.headers import get_plain_page_headers
from llamora.api.urls import find_call

MCP_PATH: Final = "/mcp"


class ProgramMiddleware:
    """Middleware that passes a call of a program straight to its view.

    A call has no cookie, form, session, message or script, so what follows in the list of middleware would do
    nothing for it, and takes longer than many a call. Other addresses of the API, such as its page of
    documentation, are answered as pages are.
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
