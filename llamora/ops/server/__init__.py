"""The HTTP server of `up`.

http_server.py  daphne in this process, and its shutdown
body_limits.py  limits on request bodies, checked before they are read
access_log.py   one line per request
"""
