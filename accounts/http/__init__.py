"""HTTP code that all views share: the request type, headers and error responses.

request.py           the request type, with the person and their vault
headers.py           default headers of every response
next_url.py          safe URLs for redirects
error_responses.py   responses to refused requests, which preserve the typed text
error_views.py       Django's error handlers
redacted_logging.py  logs and error reports without private values
"""
