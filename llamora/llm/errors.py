"""Everything that can go wrong between us and a model server, each with a stable code.

    ModelError
      RefusedConnection   refused_connection   nobody listens there
      WrongAddress        wrong_address        something listens, but it is no model server (or it redirects)
      Unauthorized        unauthorized         the API key was refused
      NoSuchModel         no_such_model        the server does not have the model asked for
      Loading             loading              the server is still reading its model
      Busy                busy                 the server takes no more work just now
      TooLong             too_long             the prompt does not fit its context window
      ServerError         server_error         it failed for a reason of its own
      Malformed           malformed            what it sent is not what it promised
      Dropped             dropped              the connection ended before the reply did
      Silent              silent               nothing came for too long
      TimeLimit           time_limit           the reply took longer than we allow
      Repetition          repetition           the reply went in circles
      RemoteNotAllowed    remote_not_allowed   the address leaves this machine and nobody allowed that

An error never carries a body, a prompt or an address: its text is its code.
"""

# Errors are named for what happened, as everywhere in this house.
# ruff: noqa: N818


class ModelError(Exception):
    """A reply that could not be had, or not to its end."""

    code = "server_error"

    def __init__(self) -> None:
        super().__init__(self.code)


class RefusedConnection(ModelError):
    code = "refused_connection"


class WrongAddress(ModelError):
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
    """The error an HTTP answer stands for; the body is only looked at, never kept."""
    words = body[:4096].lower()
    if status == 413 or (status in (400, 500) and any(sign in words for sign in _TOO_LONG_SIGNS)):
        return PromptTooLong()
    if status in (401, 403):
        return ApiKeyRefused()
    if status in (400, 404) and b"model" in words and any(sign in words for sign in _NOT_FOUND_SIGNS):
        return ModelNotFound()
    if 300 <= status < 400 or status in (404, 405, 501):
        return WrongAddress()
    return {429: ModelBusy, 503: ModelLoading}.get(status, ModelServerFailed)()
