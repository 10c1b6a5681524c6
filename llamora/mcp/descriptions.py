"""Descriptions of tools and resources in each protocol version, and the interface of their provider. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from llamora.mcp.versions import has_annotations, has_structured_content

Result = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """The name and version of the server, and its instructions for the use of its tools."""

    version: str
    instructions: str

    def describe(self) -> dict[str, str]:
        """Return the name and version of the server as a dict, which is part of each result."""
        return {"name": "llamora", "title": "Llamora", "version": self.version}


@dataclass(frozen=True, kw_only=True)
class ToolDescription:
    """The description of a tool: its title and text, its schemas, and whether it writes."""

    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    is_read_only: bool
    is_idempotent: bool = True

    def describe(self, version: str) -> dict[str, Any]:
        """Return the description of the tool as a dict, in the form of this version of the protocol.

        No tool deletes or reaches outside the diary.
        """
        described: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
        }
        if has_annotations(version):
            described["annotations"] = {
                "title": self.title,
                "readOnlyHint": self.is_read_only,
                "destructiveHint": False,
                "idempotentHint": self.is_idempotent,
                "openWorldHint": False,
            }
        if has_structured_content(version):
            described |= {"title": self.title, "outputSchema": self.output_schema}
        return described


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """The result of a tool: an object that matches its output schema, or a sentence about an error."""

    value: dict[str, Any] = field(default_factory=dict, repr=False)
    # The same as JSON, for those who read no objects.
    text: str = field(repr=False)
    is_error: bool = False

    def describe(self, version: str) -> Result:
        """Return the result of a tool as a dict, in the form of this version of the protocol."""
        described: Result = {"content": [{"type": "text", "text": self.text}], "isError": self.is_error}
        if has_structured_content(version) and not self.is_error:
            described["structuredContent"] = self.value
        return described


@dataclass(frozen=True, kw_only=True)
class ResourceDescription:
    """The description of a resource, or of a template for all resources of a kind."""

    uri: str
    name: str
    title: str
    description: str
    mime_type: str = "application/json"

    def describe(self, version: str, *, is_template: bool) -> dict[str, Any]:
        """Return the description of the resource as a dict, in the form of this version of the protocol."""
        described = {
            "uriTemplate" if is_template else "uri": self.uri,
            "name": self.name,
            "description": self.description,
            "mimeType": self.mime_type,
        }
        if has_structured_content(version):
            described["title"] = self.title
        return described


class ResourceNotFound(Exception):  # noqa: N818 - an answer to the client
    """Raised for a URI that names no resource."""


class Provider(Protocol):
    """Interface of an object that lists and calls tools, and lists and reads resources.

    Every method may raise MessageError.
    """

    def list_tools(self) -> Iterable[ToolDescription]:
        """Return the tools that may be called."""

    def call_tool(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        """Call a tool and return its result; the arguments are unchecked."""

    def list_resources(self) -> Iterable[ResourceDescription]:
        """Return the resources."""

    def list_resource_templates(self) -> Iterable[ResourceDescription]:
        """Return the URI templates of resources."""

    def read_resource(self, uri: str) -> str:
        """Return the text of a resource; raise ResourceNotFound."""
