"""Errors of a model server, each with a stable code.

    ModelError
      RefusedConnection    refused_connection   nothing listens at the address
      WrongAddress         wrong_address        another program answers at the address, or redirects
        PathNotFound       wrong_address        the program there does not have the requested path
      ApiKeyRefused        unauthorized         the API key was refused
      NoCredit             no_credit            the account at the model server has no credit left
      ModelNotFound        no_such_model        the server does not have the requested model
      ModelLoading         loading              the server is still loading its model
      ModelBusy            busy                 the server accepts no more requests at the moment
      PromptTooLong        too_long             the prompt does not fit into the context window
      ModelOutOfMemory     out_of_memory        the machine has too little memory for the model
      ModelServerFailed    server_error         the server reported an internal error
      MalformedResponse    malformed            the response does not follow the protocol
      ConnectionDropped    dropped              the connection ended before the reply did
      ModelSilent          silent               no bytes arrived for too long
      ModelTooSlow         too_slow             no bytes arrived for too long before the reply began
      TimeLimitReached     time_limit           the reply took longer than the limit
      ContentFiltered      content_filter       the server filtered the prompt or the reply
      ThoughtUntilLimit    thought_limit        the model thought until its limit and wrote nothing
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
    """Raised if the model's address accepts no connection."""

    code = "refused_connection"


class WrongAddress(ModelError):
    """Raised if another program responds at the model's address, or redirects."""

    code = "wrong_address"


class PathNotFound(WrongAddress):
    """Raised if the program at the address does not have the requested path."""


class ApiKeyRefused(ModelError):
    """Raised if the server refused the API key."""

    code = "unauthorized"


class NoCredit(ModelError):
    """Raised if the account at the model server has no credit left."""

    code = "no_credit"


class ModelNotFound(ModelError):
    """Raised if the server does not have the requested model."""

    code = "no_such_model"


class ModelLoading(ModelError):
    """Raised if the server is still loading its model."""

    code = "loading"


class ModelBusy(ModelError):
    """Raised if the server accepts no more requests at the moment."""

    code = "busy"


class PromptTooLong(ModelError):
    """Raised if the prompt does not fit into the context window."""

    code = "too_long"


class ModelServerFailed(ModelError):
    """Raised if the server reported an internal error."""

    code = "server_error"


class MalformedResponse(ModelError):
    """Raised if the response does not follow the protocol."""

    code = "malformed"


class ConnectionDropped(ModelError):
    """Raised if the connection ended before the reply did."""

    code = "dropped"


class ModelSilent(ModelError):
    """Raised if no bytes arrived for too long in the middle of a reply."""

    code = "silent"


class ModelTooSlow(ModelError):
    """Raised if the model did not begin to reply in time."""

    code = "too_slow"


class TimeLimitReached(ModelError):
    """Raised if the reply took longer than the limit."""

    code = "time_limit"


class RepetitionDetected(ModelError):
    """Raised if the reply repeated itself."""

    code = "repetition"


class ModelOutOfMemory(ModelError):
    """Raised if the machine has too little memory for the model."""

    code = "out_of_memory"


class ContentFiltered(ModelError):
    """Raised if the server filtered the prompt, or stopped the reply because of its content."""

    code = "content_filter"


class ThoughtUntilLimit(ModelError):
    """Raised if the model's thinking used all tokens of the reply, so that nothing was written."""

    code = "thought_limit"


class RemoteNotAllowed(ModelError):
    """Raised if the model's address is on another machine, which the settings forbid."""

    code = "remote_not_allowed"


# Words of refusals, in lower case. Each server has its own for a prompt that does not fit into the window:
_TOO_LONG_SIGNS = (
    b"exceed_context",  # llama.cpp
    b"context size",
    b"context_length",  # OpenAI, Groq, OpenRouter
    b"context length",  # vLLM, SGLang, Mistral, LM Studio, Ollama
    b"context window",  # llama-cpp-python
    b"context limit",  # Anthropic
    b"prompt is too long",  # Anthropic, Fireworks
    b"prompt too long",  # Ollama
    b"input is too long",  # Bedrock
    b"exceeds the maximum number of tokens",  # Gemini
    b"tokens + `max_new_tokens` must be",  # TGI, Together
    b"`inputs` must have less than",
    b"tokens when context",  # LM Studio
    b"maximum prompt length",  # xAI
    b"maximum model length",  # vLLM
    b"max_model_len",
    b"max_seq_len",  # TabbyAPI
    b"too many tokens",  # Cohere
)
_NO_MEMORY_SIGNS = (
    b"out of memory",
    b"outofmemory",
    b"out_of_memory",
    b"more system memory",  # Ollama
    b"insufficient system resources",  # LM Studio
    b"insufficient memory",
    b"not enough memory",
    b"failed to allocate",
    b"unable to allocate",
)
_NOT_FOUND_SIGNS = (
    b"model_not_found",
    b"not found",
    b"not_found_error",  # Anthropic
    b"does not exist",
    b"no models loaded",
    b"unknown model",
    b"invalid model",
    b"not a valid model",
)
_KEY_SIGNS = (b"api key not valid", b"invalid api key", b"invalid_api_key", b"incorrect api key")
# Of a quota that is used up for good, which a few servers report like too many requests.
_CREDIT_SIGNS = (
    b"insufficient_quota",
    b"credit balance",
    b"insufficient credits",
    b"insufficient balance",
    # Anthropic: limits that the account's owner has set, and those of its tier.
    b"api usage limits",
    b"enforced_spend_limit_reached",
)
_FILTER_SIGNS = (b"content_filter", b"content management policy", b"responsibleaipolicy")
_BUSY_SIGNS = (b"overloaded", b"too many requests", b"queue is full", b"at capacity", b"server busy")
# 529 is Anthropic's, the rest are of gateways that waited too long for a server.
_CODES_BY_STATUS = {429: ModelBusy, 503: ModelLoading, 529: ModelBusy}
_TOO_SLOW_STATUSES = frozenset({408, 504, 524})


def _has_sign(text: bytes, signs: tuple[bytes, ...]) -> bool:
    return any(sign in text for sign in signs)


def is_too_long(status: int, body: bytes) -> bool:
    """Return whether an error response says that the prompt is too long."""
    if status == 413:
        return True
    return status not in (401, 403, 429, 503) and _has_sign(body[:4096].lower(), _TOO_LONG_SIGNS)


def error_for_response(status: int, body: bytes) -> ModelError:
    """Return the error for an HTTP response, from its status and known words in its body."""
    text = body[:4096].lower()
    if is_too_long(status, body):
        return PromptTooLong()
    if status in (401, 403) or (status == 400 and _has_sign(text, _KEY_SIGNS)):
        return ApiKeyRefused()
    if status == 402 or (status in (400, 429) and _has_sign(text, _CREDIT_SIGNS)):
        return NoCredit()
    if _has_sign(text, _NO_MEMORY_SIGNS):
        return ModelOutOfMemory()
    if status == 400 and _has_sign(text, _FILTER_SIGNS):
        return ContentFiltered()
    if status in (400, 404) and b"model" in text and _has_sign(text, _NOT_FOUND_SIGNS):
        return ModelNotFound()
    if status in (404, 405, 501):
        return PathNotFound()
    if 300 <= status < 400:
        return WrongAddress()
    if status in _TOO_SLOW_STATUSES:
        return ModelTooSlow()
    if status in (500, 503) and _has_sign(text, _BUSY_SIGNS):
        return ModelBusy()
    return _CODES_BY_STATUS.get(status, ModelServerFailed)()
