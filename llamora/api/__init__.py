"""The HTTP API: what programs with an access token may do, described by `/api/openapi.json`.

    resources/      the calls, a module for each subject
    endpoints       the table of calls, from which URLs and the description are made
    dispatch        the view: token, scope, body, call, answer
    call            what a call knows of the program and its owner
    authentication  the token of a request
    bodies          JSON and query parameters, checked before a call sees them
    errors          refusals, none of which repeats what was sent
    openapi         the description (OpenAPI 3.1)
    views           the description's page, and addresses that lead to it
    urls            the URLs
    call_routes     the table in which the address of a call is found
    middleware      the short way of a call, past what pages need

A program reaches only the realms of its token (`llamora.crypto.access_tokens`). Cookies count for nothing
here, so that no page of another site can call in somebody's name.
"""
