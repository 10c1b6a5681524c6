"""The URL of MCP."""

from django.urls import path

from llamora.mcp.views import serve_mcp

app_name = "mcp"
urlpatterns = [path("mcp", serve_mcp, name="messages")]
