"""The access token of a request, read only from the header Authorization or X-API-Key."""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from accounts.errors import InvalidToken
from accounts.throttling.client_ip import get_client_ip
from accounts.tokens.request_headers import find_token
from accounts.tokens.verification import OpenedToken, verify_token
from llamora.api.errors import ApiError

_TOKEN: Final = re.compile(r"llamora_[0-9a-z]{8}", re.IGNORECASE)
# Names under which programs put a token into an address.
_TOKEN_PARAMETERS: Final = re.compile(
    r"(?:^|&)(?:access_token|api_key|apikey|token|key|x-api-key|authorization)=", re.IGNORECASE
)


def open_token(request: HttpRequest) -> OpenedToken:
    """Verify the access token of a request, and return it with its keyring, which the caller must close.

    Raise InvalidToken if the request has no token, and ApiError 403 if the token was sent unencrypted or in
    the URL. The errors of `verify_token` are passed on.
    """
    check_address(request)
    text = find_token(request.headers.get("Authorization", ""), request.headers.get("X-API-Key", ""))
    if not text:
        raise InvalidToken
    return verify_token(text, address=get_client_ip(request))


def check_address(request: HttpRequest) -> None:
    """Raise ApiError 403 if the URL of a request contains a token, or the connection is not encrypted."""
    query = request.META.get("QUERY_STRING", "")
    if _TOKEN.search(request.path_info) or _TOKEN.search(query) or _TOKEN_PARAMETERS.search(query):
        raise ApiError(403, "token_in_url")
    if (
        not request.is_secure()
        and not settings.ALLOW_PLAIN_HTTP
        and not _is_this_machine(str(request.META.get("REMOTE_ADDR") or ""))
    ):
        raise ApiError(403, "plain_http")


@lru_cache(maxsize=1024)
def _is_this_machine(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
