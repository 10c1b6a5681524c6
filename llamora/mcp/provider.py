"""The provider of tools and resources from the diary, with the rights of a request's token."""

import logging
from collections.abc import Iterable
from typing import Any, Final

from accounts.tokens.call_limits import call_limits
from llamora.api.call import Call
from llamora.api.dispatch import check_scopes
from llamora.api.errors import ApiError, translate_error
from llamora.mcp import messages, resources
from llamora.mcp.descriptions import ResourceDescription, ResourceNotFound, ToolDescription, ToolResult
from llamora.mcp.messages import MessageError
from llamora.mcp.tools import TOOLS, Tool

_log = logging.getLogger(__name__)
_CODES: Final = {423: messages.LOCKED, 403: messages.MISSING_SCOPE, 429: messages.TRY_LATER}


def build_message_error(error: Exception) -> MessageError:
    """Return the MCP error for an exception; an unexpected one is logged without its message."""
    refusal = translate_error(error)
    if refusal is None:
        _log.error("A call of a program failed.", exc_info=error)
        refusal = ApiError(500, "failed")
    named = {"field": refusal.field, "scope": refusal.scope}
    data = {"error_code": refusal.code, **{name: value for name, value in named.items() if value}}
    return MessageError(
        _CODES.get(refusal.status, messages.INTERNAL_ERROR if refusal.status >= 500 else messages.REFUSED),
        refusal.message,
        status=refusal.status,
        data=data,
        headers=refusal.headers,
    )


class DiaryProvider:
    """Provider of tools and resources with the rights of one token, whose keyring is in force."""

    def __init__(self, call: Call) -> None:
        self._call = call
        # Of one body; the first was counted when the token was checked.
        self._count = 0

    def list_tools(self) -> Iterable[ToolDescription]:
        """Return the tools that the token may call."""
        return [tool.description for tool in self._list_own_tools()]

    def _list_own_tools(self) -> list[Tool]:
        return [tool for tool in TOOLS if tool.may_be_called_with(self._call.terms.scopes)]

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Return the result of a tool, or a sentence about its error for the assistant."""
        (tool,) = (tool for tool in self._list_own_tools() if tool.name == name)
        try:
            self._count_call()
            return tool.call(self._call, arguments)
        except Exception as error:  # every error is told to the assistant
            return _describe_error(build_message_error(error))

    def list_resources(self) -> Iterable[ResourceDescription]:
        """Return the facts and the latest days, as far as the token may read them."""
        listed = [resources.FACTS] if resources.FACTS_SCOPE in self._call.terms.scopes else []
        return [*listed, *resources.list_latest_days(self._call)] if self._reads_diary else listed

    def list_resource_templates(self) -> Iterable[ResourceDescription]:
        """Return a list with the URI template for days. If the token may not read days, the list is empty."""
        return [resources.DAY_TEMPLATE] if self._reads_diary else []

    @property
    def _reads_diary(self) -> bool:
        return resources.DAY_SCOPE in self._call.terms.scopes

    def read_resource(self, uri: str) -> str:
        """Return a day or the facts as JSON; raise ResourceNotFound or MessageError."""
        try:
            self._count_call()
            check_scopes(self._call.opened, [resources.get_scope(uri)])
            return resources.read_resource(self._call, uri)
        except ResourceNotFound:
            raise
        except Exception as error:
            raise build_message_error(error) from None

    def _count_call(self) -> None:
        """Count each further call in one body, as the first is counted already; raise TooManyCalls."""
        self._count += 1
        if self._count > 1:
            call_limits.count(self._call.token_id)


class RefusingProvider:
    """Provider for a valid token that cannot be used now: every method raises the reason."""

    def __init__(self, error: MessageError) -> None:
        self._error = error

    def list_tools(self) -> Iterable[ToolDescription]:
        """Raise the MessageError that says why the token cannot be used now, instead of listing tools."""
        raise self._error

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Raise the MessageError that says why the token cannot be used now, instead of calling a tool."""
        del name, arguments
        raise self._error

    def list_resources(self) -> Iterable[ResourceDescription]:
        """Raise the MessageError that says why the token cannot be used now, instead of listing resources."""
        raise self._error

    def list_resource_templates(self) -> Iterable[ResourceDescription]:
        """Raise the MessageError that says why the token cannot be used now, instead of listing templates."""
        raise self._error

    def read_resource(self, uri: str) -> str:
        """Raise the MessageError that says why the token cannot be used now, instead of reading."""
        del uri
        raise self._error


class LockedProvider(RefusingProvider):
    """Provider for a locked diary: lists all tools, but each call returns that the diary must be unlocked.

    So an assistant can be started before the diary is unlocked.
    """

    def list_tools(self) -> Iterable[ToolDescription]:
        """Return all tools, because the token's scopes are not known yet."""
        return [tool.description for tool in TOOLS]

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Return an error result that asks to unlock the diary, instead of calling a tool."""
        del name, arguments
        return _describe_error(self._error)

    def list_resources(self) -> Iterable[ResourceDescription]:
        """Return an empty list, because every resource needs an unlocked diary."""
        return []

    def list_resource_templates(self) -> Iterable[ResourceDescription]:
        """Return a list with one URI template, the one for days."""
        return [resources.DAY_TEMPLATE]


def _describe_error(error: MessageError) -> ToolResult:
    """Return the result of a tool that failed: one sentence, and the argument that is to blame."""
    field = (error.data or {}).get("field")
    return ToolResult(text=f"{field}: {error.message}" if field else error.message, is_error=True)
