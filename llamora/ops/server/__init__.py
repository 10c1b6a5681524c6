"""The HTTP server that the command `manage.py up` starts.

http_server.py   daphne in this process, and its shutdown
http_channel.py  one connection, of HTTP or a WebSocket
connections.py   deadlines and limits of the open connections
body_limits.py   limits on request bodies, checked before they are read
body_budget.py   limits on the memory for bodies, by sender and in total
proxies.py       the client behind a trusted proxy
access_log.py    one line per request
"""
