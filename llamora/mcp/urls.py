"""The URL of MCP, whose modules are imported at the first call: at the start they took 9 ms for nobody."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def serve_mcp(request: HttpRequest) -> HttpResponse:
    """Answer a body of a client."""
    from llamora.mcp import views  # noqa: PLC0415 - as above

    return views.serve_mcp(request)


app_name = "mcp"
urlpatterns = [path("mcp", serve_mcp, name="messages")]
