"""Errors of a model server, each with a stable code.

    ModelError
      RefusedConnection    refused_connection   nothing listens at the address
      WrongAddress         wrong_address        the address is another program's, or redirects
      ApiKeyRefused        unauthorized         the API key was refused
      ModelNotFound        no_such_model        the server does not have the requested model
      ModelLoading         loading              the server is still loading its model
      ModelBusy            busy                 the server accepts no more requests at the moment
      PromptTooLong        too_long             the prompt does not fit into the context window
      ModelServerFailed    server_error         the server reported an internal error
      MalformedResponse    malformed            the response does not follow the protocol
      ConnectionDropped    dropped              the connection ended before the reply did
      ModelSilent          silent               no bytes arrived for too long
      TimeLimitReached     time_limit           the reply took longer than the limit
      RepetitionDetected   repetition           the reply repeated itself
      RemoteNotAllowed     remote_not_allowed   the address is on another machine, which the settings forbid

An error never contains a response, a prompt or an address: its text is its code.
"""

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818


class ModelError(Exception):
    """Base class of all errors of a model server."""

    code = "server_error"

    def __init__(self) -> None:
        super().__init__(self.code)


class RefusedConnection(ModelError):
    code = "refused_connection"


class WrongAddress(ModelError):
    """Raised if another program responds at the model's address, or redirects."""

    code = "wrong_address"


class ApiKeyRefused(ModelError):
    code = "unauthorized"


class ModelNotFound(ModelError):
    code = "no_such_model"


class ModelLoading(ModelError):
    code = "loading"


class ModelBusy(ModelError):
    code = "busy"


class PromptTooLong(ModelError):
    code = "too_long"


class ModelServerFailed(ModelError):
    code = "server_error"


class MalformedResponse(ModelError):
    code = "malformed"


class ConnectionDropped(ModelError):
    code = "dropped"


class ModelSilent(ModelError):
    code = "silent"


class TimeLimitReached(ModelError):
    code = "time_limit"


class RepetitionDetected(ModelError):
    code = "repetition"


class RemoteNotAllowed(ModelError):
    code = "remote_not_allowed"


_TOO_LONG_SIGNS = (
    b"exceed_context",
    b"context_length",
    b"context size",
    b"context length",
    b"context window",
)
_NOT_FOUND_SIGNS = (
    b"model_not_found",
    b"not found",
    b"does not exist",
    b"no models loaded",
    b"unknown model",
)


def error_for_response(status: int, body: bytes) -> ModelError:
    """Return the error for an HTTP response, found from its status and from known words in its body."""
    text = body[:4096].lower()
    if status == 413 or (status in (400, 500) and any(sign in text for sign in _TOO_LONG_SIGNS)):
        return PromptTooLong()
    if status in (401, 403):
        return ApiKeyRefused()
    if status in (400, 404) and b"model" in text and any(sign in text for sign in _NOT_FOUND_SIGNS):
        return ModelNotFound()
    if 300 <= status < 400 or status in (404, 405, 501):
        return WrongAddress()
    return {429: ModelBusy, 503: ModelLoading}.get(status, ModelServerFailed)()
