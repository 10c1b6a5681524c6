"""MCP, the Model Context Protocol: the diary as tools and resources of somebody's assistant, at `POST /mcp`.

Stateless: every request is answered by itself, with the token that it brings.

versions         the versions of the protocol, and what each of them has
messages         JSON-RPC: requests, notifications, errors, and the body that they come in
routing_headers  headers that say what is in a body, for those who do not read it
descriptions     tools and resources, and what provides them
protocol         what is answered to a body; knows no diary
tools            the table of tools
diary_tools, search_tools, fact_tools, note_tools, date_tools
                 the tools and their types
resources        days of the diary, and its facts
provider         tools and resources with the rights of one token
views            the view
"""
