"""The HTTP server of `up`.

http_server.py  daphne in this process, and its end
body_limits.py  request bodies, bounded before they are read
access_log.py   one line per request
"""
