"""Requests for replies.

sampling  the parameters by which a model picks its words, as people may set them
forms     what servers accept in a request
"""
