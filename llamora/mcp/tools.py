"""The table of tools: the description, scopes and types of each tool, and its function.

A tool is a function that takes a call and a struct of arguments, and returns a struct. Its docstring is the
description that the assistant reads, and its types become the schemas. A tool without scopes may be called
with any token.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, get_type_hints

import msgspec

from llamora.api.bodies import decode_body
from llamora.api.call import Call
from llamora.mcp.date_tools import resolve_date
from llamora.mcp.descriptions import ToolDescription, ToolResult
from llamora.mcp.diary_tools import add_text_to_inbox, read_day
from llamora.mcp.fact_tools import list_facts, propose_fact
from llamora.mcp.note_tools import list_notes, read_note
from llamora.mcp.search_tools import search_diary

_NAMED: Final = "#/$defs/{name}"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool: its title, its scopes (the token needs one of them), and its function."""

    title: str
    run: Callable[..., msgspec.Struct] = field(repr=False)
    scopes: tuple[str, ...] = ()
    writes: bool = False
    # Of a function that has another name than assistants know the tool by.
    known_as: str = ""

    @property
    def name(self) -> str:
        """The name by which an assistant calls the tool, usually the name of the function."""
        return self.known_as or self.run.__name__

    @cached_property
    def description(self) -> ToolDescription:
        """The description of the tool, for the list of tools."""
        types = get_type_hints(self.run)
        return ToolDescription(
            name=self.name,
            title=self.title,
            description=inspect.getdoc(self.run) or "",
            input_schema=_build_schema(types["arguments"]),
            output_schema=_build_schema(types["return"]),
            is_read_only=not self.writes,
            is_idempotent=not self.writes,
        )

    def may_be_called_with(self, scopes: frozenset[str]) -> bool:
        """Return whether a token with these scopes may call the tool."""
        return not self.scopes or not scopes.isdisjoint(self.scopes)

    def call(self, call: Call, arguments: Mapping[str, Any]) -> ToolResult:
        """Call the function; raise ApiError for arguments that do not match its schema."""
        type_ = get_type_hints(self.run)["arguments"]
        value = self.run(call, decode_body(json.dumps(arguments).encode(), type_))
        text = msgspec.json.encode(value)
        return ToolResult(value=msgspec.json.decode(text), text=text.decode())


def _build_schema(type_: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a struct in the form of MCP: an object at the root, which contains its parts."""
    (reference,), named = msgspec.json.schema_components([type_], ref_template=_NAMED)
    root = named.pop(str(reference["$ref"]).rpartition("/")[2])
    # Names of our classes tell an assistant nothing.
    for schema in (root, *named.values()):
        schema.pop("title", None)
    return {**root, "$defs": named} if named else root


TOOLS: Final = (
    Tool(title="Search the diary", run=search_diary, scopes=("diary:read",)),
    Tool(title="Read a day", run=read_day, scopes=("diary:read",)),
    Tool(title="List facts", run=list_facts, scopes=("facts:read",)),
    Tool(
        title="Propose a fact",
        run=propose_fact,
        scopes=("facts:propose", "facts:write"),
        writes=True,
    ),
    Tool(title="List notes", run=list_notes, scopes=("notes",)),
    Tool(title="Read a note", run=read_note, scopes=("notes",)),
    Tool(
        title="Put a text into the Inbox",
        run=add_text_to_inbox,
        known_as="write_entry",
        scopes=("diary:write", "drop"),
        writes=True,
    ),
    Tool(title="Find the day that words mean", run=resolve_date),
)
