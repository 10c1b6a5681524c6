"""Django's handler of requests that no view sees; programs are answered in JSON, people with a page."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from accounts.http import error_views as pages
from llamora.api.errors import PROGRAM_PATHS, ApiError


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse a request that cannot be read, or that came to a name that is not the server's."""
    if not request.path.startswith(PROGRAM_PATHS):
        return pages.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return ApiError(403, "foreign_origin").build_response()
    return ApiError(400, "unreadable").build_response()
