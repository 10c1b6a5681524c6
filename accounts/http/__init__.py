"""HTTP around the views: the request's own type, headers, and every kind of error response.

request.py           the request with its person and their vault
headers.py           headers that every response has
next_url.py          safe addresses to go on to
error_responses.py   refusals as responses, with the typed text given back
error_views.py       Django's error handlers
redacted_logging.py  logs and error reports without values
"""
