"""Requests to a model server for replies.

sampling       sampling parameters, which people may set
reply_request  a request for a reply, and the parameters that a server refused
"""
