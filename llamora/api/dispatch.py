"""The view of the API: finds the call, checks token, scopes and body, and writes the response."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.tokens.verification import OpenedToken
from llamora.api import authentication
from llamora.api.bodies import decode_body, parse_path_value, parse_query
from llamora.api.call import Call, yield_to_pages
from llamora.api.endpoints import Endpoint
from llamora.api.errors import ApiError, translate_error
from llamora.crypto import in_force

JSON: Final = "application/json"
_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, MCP-Protocol-Version, Mcp-Method, Mcp-Name, X-API-Key"
)
_log = logging.getLogger(__name__)


def build_view(by_method: Mapping[str, Endpoint]) -> Callable[..., HttpResponseBase]:
    """Return the view of a path, given a dict from HTTP method to the API's call at this path."""

    def view(request: HttpRequest, **parts: str) -> HttpResponseBase:
        response = _respond(request, by_method, parts)
        allow_origin(request, response)
        return response

    # Programs have no cookie, so no form of another site can call in somebody's name.
    return csrf_exempt(view)


@csrf_exempt
def refuse_unknown(request: HttpRequest, **_: str) -> HttpResponseBase:
    """Return the response 404 for a path of the API that does not exist."""
    try:
        authentication.check_address(request)
    except ApiError as refusal:
        return refusal.build_response()
    return ApiError(404, "not_found").build_response()


def build_error_response(error: Exception) -> HttpResponse:
    """Return the response to an error; an unexpected error is logged without its message."""
    refusal = translate_error(error)
    if refusal is None:
        _log.error("A call of a program failed.", exc_info=error)
        refusal = ApiError(500, "failed")
    return refusal.build_response()


def check_scopes(opened: OpenedToken, scopes: Iterable[str]) -> None:
    """Raise ApiError 403 if the call requires scopes and the token has none of them."""
    wanted = tuple(scopes)
    if wanted and opened.terms.scopes.isdisjoint(wanted):
        raise ApiError(403, "missing_scope", scope=wanted[0])


def _respond(
    request: HttpRequest, by_method: Mapping[str, Endpoint], parts: Mapping[str, str]
) -> HttpResponseBase:
    try:
        endpoint = _find_endpoint(request, by_method)
        if endpoint is None:
            return _list_methods(request, by_method)
        if endpoint.is_public:
            authentication.check_address(request)
            return _write_answer(endpoint, endpoint.run(**_read_arguments(request, endpoint, parts)))
        return _run(request, endpoint, parts)
    except Exception as error:  # every error has an answer in JSON
        return build_error_response(error)


def _find_endpoint(request: HttpRequest, by_method: Mapping[str, Endpoint]) -> Endpoint | None:
    method = "GET" if request.method == "HEAD" else request.method or ""
    return by_method.get(method)


def _list_methods(request: HttpRequest, by_method: Mapping[str, Endpoint]) -> HttpResponse:
    allowed = {"Allow": ", ".join(sorted({*by_method, "OPTIONS"}))}
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=allowed)
    return ApiError(405, "method_not_allowed", headers=allowed).build_response()


def _run(request: HttpRequest, endpoint: Endpoint, parts: Mapping[str, str]) -> HttpResponseBase:
    yield_to_pages()
    opened = authentication.open_token(request)
    is_open = False
    try:
        check_scopes(opened, endpoint.scopes)
        key = request.headers.get("Idempotency-Key") if endpoint.stores else None
        call = Call(opened=opened, idempotency_key=key)
        yield_to_pages()
        with in_force(opened.keyring):
            response = _write_answer(
                endpoint, endpoint.run(call, **_read_arguments(request, endpoint, parts))
            )
        if response.streaming and opened.keyring is not None:
            # What streams opens texts until it ends.
            is_open = True
            response._resource_closers.append(opened.keyring.close)  # type: ignore[attr-defined]  # as FileResponse does
        return response
    finally:
        if opened.keyring is not None and not is_open:
            opened.keyring.close()


def _read_arguments(request: HttpRequest, endpoint: Endpoint, parts: Mapping[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        name: parse_path_value(parts[name], type_) for name, type_ in endpoint.path_types.items()
    }
    query = request.META.get("QUERY_STRING", "")
    if endpoint.query is not None:
        arguments["query"] = parse_query(query, endpoint.query)
    elif query:
        raise ApiError(422, "invalid_field", message="This call takes no parameters in its address.")
    if endpoint.body is not None:
        if request.content_type != JSON:
            raise ApiError(415, "unsupported_media_type")
        arguments["body"] = decode_body(request.body, endpoint.body)
    return arguments


def _write_answer(endpoint: Endpoint, answer: object) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    yield_to_pages()
    return HttpResponse(msgspec.json.encode(answer), status=endpoint.status, content_type=JSON)


def allow_origin(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add CORS headers for the origins in the setting API_ORIGINS, which is empty by default."""
    origin = request.headers.get("Origin", "")
    if not settings.API_ORIGINS:
        return
    response["Vary"] = "Origin"
    if origin in settings.API_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
