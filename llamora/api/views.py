"""The documentation of the API: as JSON, and as a page that works without script."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe


@require_safe
def show_openapi(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI description as JSON; it is public and the same for everybody."""
    del request
    from llamora.api.openapi import encode_description  # noqa: PLC0415 - few ask for it, and no start needs it

    return HttpResponse(encode_description(), content_type="application/json")


@require_safe
def show_docs(request: HttpRequest) -> HttpResponse:
    """Render the OpenAPI description as a page."""
    context = {**_build_context(), "origin": f"{request.scheme}://{request.get_host()}"}
    return render(request, "api/docs.html", context)


@cache
def _build_context() -> dict[str, Any]:
    """Return what the page shows, which is the same until the server ends."""
    from accounts.tokens.forms import ALL_SCOPE_WORDS  # noqa: PLC0415 - as above
    from llamora.api.openapi import build_description  # noqa: PLC0415

    description = build_description()
    calls = [
        _build_call(description, path, method, call)
        for path, by_method in description["paths"].items()
        for method, call in by_method.items()
    ]
    groups = [
        (tag["name"], [call for call in calls if call["tag"] == tag["name"]]) for tag in description["tags"]
    ]
    return {
        "groups": groups,
        "structs": {
            name: describe_struct(struct) for name, struct in description["components"]["schemas"].items()
        },
        "introduction": description["info"]["description"],
        "scopes": ALL_SCOPE_WORDS,
    }


@require_safe
def redirect_to_docs(request: HttpRequest) -> HttpResponse:
    """Redirect the usual addresses of API documentation to ours."""
    del request
    return redirect("api:docs")


def _build_call(description: dict[str, Any], path: str, method: str, call: dict[str, Any]) -> dict[str, Any]:
    responses = call["responses"]
    status = next(iter(responses))
    return {
        "id": call["operationId"],
        "tag": call["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": call["summary"],
        "description": call["description"],
        "parameters": [
            {**parameter, "type": _name_type(parameter["schema"])} for parameter in call["parameters"]
        ],
        "body": _list_fields(description, call.get("requestBody", {}).get("content", {})),
        "status": status,
        "answer": _list_fields(description, responses[status]["content"]),
        "media_type": next(iter(responses[status]["content"])),
    }


def _list_fields(description: dict[str, Any], content: dict[str, Any]) -> dict[str, Any] | None:
    """Return the name and the fields of a struct, or None if there is none."""
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return None
    name = schema["$ref"].rpartition("/")[2]
    return {"name": name, **describe_struct(description["components"]["schemas"][name])}


def describe_struct(struct: dict[str, Any]) -> dict[str, Any]:
    """Return a struct for the documentation page: its description, and one row for each field."""
    required = set(struct.get("required", ()))
    rows = [
        {
            "name": name,
            "type": _name_type(schema),
            "is_required": name in required,
            "description": schema.get("description", ""),
        }
        for name, schema in struct.get("properties", {}).items()
    ]
    return {"sentence": struct.get("description", ""), "rows": rows}


def _name_type(schema: dict[str, Any]) -> str:
    """Return the type of a value in words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_name_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_name_type(schema.get('items', {}))}"
    formats = {"date": "day, YYYY-MM-DD", "date-time": "moment with offset", "uuid": "id"}
    return formats.get(schema.get("format", ""), kind)
