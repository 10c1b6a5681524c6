"""The methods of MCP: responses to the messages in a request body. Pure.

    stateless (2026-07-28)   server/discover
    with a handshake         initialize, ping, notifications and responses (accepted and ignored)
    all versions             tools/list, tools/call, resources/list, resources/templates/list, resources/read

There are no prompts, subscriptions or sessions, so their methods are unknown here. In the stateless version
an error has its own HTTP status. Older clients do not read the body of an error status, so they get 200 for
every message that could be parsed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llamora.mcp import messages
from llamora.mcp.descriptions import Provider, ResourceNotFound, Result, ServerInfo
from llamora.mcp.messages import (
    Message,
    MessageError,
    MessageId,
    Notification,
    RequestMessage,
    ResponseMessage,
)
from llamora.mcp.routing_headers import VERSION_HEADER, Headers, check_headers, read_headers
from llamora.mcp.versions import (
    BATCH_VERSION,
    HANDSHAKE_VERSIONS,
    KNOWN_VERSIONS,
    STATELESS_VERSIONS,
    is_stateless,
    negotiate,
)

MAX_BATCH: Final = 20
_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
_SERVER_INFO_KEY: Final = "io.modelcontextprotocol/serverInfo"
# Whatever is answered belongs to one token, and to this moment.
_UNCACHED: Final = {"ttlMs": 0, "cacheScope": "private"}

Params = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP response: status, headers, and a JSON body if there is one."""

    status: int
    body: object = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_body(
    body: bytes, headers: Iterable[tuple[str, str]], *, provider: Provider, info: ServerInfo
) -> Answer:
    """Return the response to an HTTP request, given the body and headers of the request."""
    try:
        value = messages.decode_body(body)
    except MessageError as error:
        return _answer_error(None, error)
    try:
        routing = read_headers(headers)
        if isinstance(value, list):
            return _Exchange(provider, info, BATCH_VERSION).answer_batch(value, routing)
        message = messages.parse_message(value)
        return _answer_message(message, routing, provider=provider, info=info)
    except MessageError as error:
        return _answer_error(messages.find_id(value), error)


def _answer_error(id_: MessageId | None, error: MessageError) -> Answer:
    return Answer(status=error.status, body=messages.build_error(id_, error), headers=error.headers)


def _answer_message(message: Message, headers: Headers, *, provider: Provider, info: ServerInfo) -> Answer:
    named = headers.get(VERSION_HEADER)
    meta = message.params.get("_meta") if isinstance(message, RequestMessage) else None
    names_version = isinstance(meta, dict) and _VERSION_KEY in meta
    if not names_version and (named is None or named in HANDSHAKE_VERSIONS):
        exchange = _Exchange(provider, info, named or BATCH_VERSION)
        if not isinstance(message, RequestMessage):
            return Answer(status=202)
        return exchange.answer(message)
    match message:
        case ResponseMessage():
            raise MessageError(messages.INVALID_REQUEST, "Send a request or a notification.")
        case Notification():
            _check_stateless_version(named)
            return Answer(status=202)
    version = _read_envelope(message, headers)
    return _Exchange(provider, info, version).answer(message)


def _read_envelope(message: RequestMessage, headers: Headers) -> str:
    """Return the version that a stateless request names; raise MessageError if its headers do not match."""
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or not {_VERSION_KEY, _CAPABILITIES_KEY} <= meta.keys():
        raise MessageError(
            messages.INVALID_PARAMS,
            f"Send params._meta with {_VERSION_KEY} and {_CAPABILITIES_KEY}.",
        )
    version = meta[_VERSION_KEY]
    check_headers(headers, version=version, method=message.method, params=message.params)
    return _check_stateless_version(version)


def _check_stateless_version(version: object) -> str:
    if isinstance(version, str) and is_stateless(version):
        return version
    raise MessageError(
        messages.UNSUPPORTED_VERSION,
        "This version of the protocol is not supported.",
        # The protocol wants what was asked for; it is said only if it is one of the versions that exist.
        data={"supported": list(KNOWN_VERSIONS), "requested": version if version in KNOWN_VERSIONS else ""},
    )


def _parse_one_of_many(value: object) -> Message:
    message = messages.parse_message(value)
    if isinstance(message, RequestMessage) and message.method == "initialize":
        raise MessageError(messages.INVALID_REQUEST, "Send initialize alone.")
    return message


class _Exchange:
    """The handling of one request in one version of the protocol."""

    def __init__(self, provider: Provider, info: ServerInfo, version: str) -> None:
        self._provider = provider
        self._info = info
        self._version = version
        methods: dict[str, Callable[[Params], Result]] = {
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_resource_templates,
            "resources/read": self._read_resource,
        }
        if is_stateless(version):
            methods |= {"server/discover": self._discover}
        else:
            methods |= {"initialize": self._initialize, "ping": self._ping}
        self._methods = methods

    def answer(self, message: RequestMessage) -> Answer:
        """Return the response to a request."""
        try:
            result = self._run(message)
        except MessageError as error:
            status = error.status if is_stateless(self._version) else 200
            return Answer(
                status=status,
                body=messages.build_error(message.id, error),
                headers=error.headers,
            )
        return Answer(status=200, body=messages.build_result(message.id, result))

    def answer_batch(self, values: list[object], headers: Headers) -> Answer:
        """Return the responses to several messages in one body."""
        if headers.get(VERSION_HEADER, BATCH_VERSION) != BATCH_VERSION:
            raise MessageError(messages.INVALID_REQUEST, "Send one message in each body.")
        if not 0 < len(values) <= MAX_BATCH:
            raise MessageError(messages.INVALID_REQUEST, f"Send 1 to {MAX_BATCH} messages in one body.")
        answers = [answer for value in values if (answer := self._answer_one_of_many(value)) is not None]
        return Answer(status=200, body=answers) if answers else Answer(status=202)

    def _answer_one_of_many(self, value: object) -> object:
        try:
            message = _parse_one_of_many(value)
        except MessageError as error:
            return messages.build_error(messages.find_id(value), error)
        return self.answer(message).body if isinstance(message, RequestMessage) else None

    def _run(self, message: RequestMessage) -> Result:
        method = self._methods.get(message.method)
        if method is None:
            raise MessageError(messages.METHOD_NOT_FOUND, "There is no such method here.", status=404)
        result = method(message.params)
        if is_stateless(self._version):
            result |= {"resultType": "complete", "_meta": {_SERVER_INFO_KEY: self._info.describe()}}
        return result

    # --- Beginning ---------------------------------------------------------------------------------------

    def _discover(self, params: Params) -> Result:
        del params
        return {
            "supportedVersions": list(STATELESS_VERSIONS),
            "capabilities": {"tools": {}, "resources": {}},
            "instructions": self._info.instructions,
            **_UNCACHED,
        }

    def _initialize(self, params: Params) -> Result:
        offered = params.get("protocolVersion")
        if not isinstance(offered, str):
            raise MessageError(
                messages.INVALID_PARAMS, "Send the version of the protocol as protocolVersion."
            )
        return {
            "protocolVersion": negotiate(offered),
            "capabilities": {"tools": {}, "resources": {}},
            "serverInfo": self._info.describe(),
            "instructions": self._info.instructions,
        }

    def _ping(self, params: Params) -> Result:
        del params
        return {}

    # --- Tools and resources -----------------------------------------------------------------------------

    def _list_tools(self, params: Params) -> Result:
        return self._build_list(
            params, tools=[tool.describe(self._version) for tool in self._provider.list_tools()]
        )

    def _call_tool(self, params: Params) -> Result:
        name, arguments = params.get("name"), params.get("arguments")
        if arguments is not None and not isinstance(arguments, dict):
            raise MessageError(messages.INVALID_PARAMS, "Send the arguments of the tool as an object.")
        if not any(tool.name == name for tool in self._provider.list_tools()):
            raise MessageError(messages.INVALID_PARAMS, "Name a tool that tools/list returns.")
        return self._provider.call_tool(str(name), arguments or {}).describe(self._version)

    def _list_resources(self, params: Params) -> Result:
        return self._build_list(
            params,
            resources=[
                resource.describe(self._version, is_template=False)
                for resource in self._provider.list_resources()
            ],
        )

    def _list_resource_templates(self, params: Params) -> Result:
        return self._build_list(
            params,
            resourceTemplates=[
                template.describe(self._version, is_template=True)
                for template in self._provider.list_resource_templates()
            ],
        )

    def _build_list(self, params: Params, **items: list[dict[str, Any]]) -> Result:
        """Return a list as one page; raise MessageError if a further page is requested."""
        if params.get("cursor") is not None:
            raise MessageError(messages.INVALID_PARAMS, "Ask without a cursor: the list has one page.")
        return {**items, **(_UNCACHED if is_stateless(self._version) else {})}

    def _read_resource(self, params: Params) -> Result:
        uri = params.get("uri")
        if not isinstance(uri, str):
            raise MessageError(messages.INVALID_PARAMS, "Name a resource as uri.")
        try:
            text = self._provider.read_resource(uri)
        except ResourceNotFound:
            code = messages.INVALID_PARAMS if is_stateless(self._version) else messages.RESOURCE_NOT_FOUND
            raise MessageError(code, "There is no such resource. Ask for the list of resources.") from None
        contents = [{"uri": uri, "mimeType": "application/json", "text": text}]
        return {"contents": contents, **(_UNCACHED if is_stateless(self._version) else {})}
