"""MCP (Model Context Protocol): the diary as tools and resources for AI assistants, at `POST /mcp`.

It is stateless: every request carries a token and is handled on its own.

versions         the versions of the protocol, and their features
messages         JSON-RPC: parsing of bodies, building of responses and errors
routing_headers  headers that repeat parts of the body, for proxies
descriptions     descriptions of tools and resources, and the provider's interface
protocol         the methods of the protocol; knows nothing of the diary
tools            the table of tools
diary_tools, search_tools, fact_tools, note_tools, date_tools
                 the tools and their types
resources        days of the diary, and its facts
provider         tools and resources with the rights of one token
views            the view
"""
