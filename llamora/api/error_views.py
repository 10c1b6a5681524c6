"""Django's handler400, for requests refused before any view: JSON for programs, a page for people."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from accounts.http import error_views as pages
from llamora.api.errors import PROGRAM_PATHS, ApiError


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a malformed request, or one whose Host header names another server."""
    if not request.path.startswith(PROGRAM_PATHS):
        return pages.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return ApiError(403, "foreign_origin").build_response()
    return ApiError(400, "unreadable").build_response()
