"""The HTTP API for programs that hold an access token; `/api/openapi.json` describes it.

    resources/      the calls, one module for each subject
    endpoints       the table of calls; URLs and the OpenAPI description are built from it
    dispatch        the view: checks token, scopes and body, runs the call, writes the response
    call            one call: its token, keyring, owner and Idempotency-Key
    authentication  the token of a request
    bodies          validation of JSON bodies and query parameters
    errors          error responses; none of them repeats what was sent
    openapi         the OpenAPI 3.1 description
    views           the documentation page, and redirects to it
    urls            the URLs
    call_routes     the lookup from a path to its call
    middleware      lets a call skip the middleware that only pages need
    error_views     the response to requests that are malformed or name another host

A program reads only the realms of its token (`llamora.crypto.access_tokens`). Cookies are ignored, so a page
of another site cannot call the API as a signed-in person (CSRF).
"""
