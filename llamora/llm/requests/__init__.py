"""Requests for replies.

sampling       the parameters by which a model picks its words, as people may set them
reply_request  a request for a reply, and what a server refused of it
"""
