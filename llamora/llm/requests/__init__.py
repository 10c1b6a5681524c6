"""Requests for replies to a model server.

sampling       sampling parameters, which people may set
reply_request  a request for a reply, and the parameters that a server refused
"""
