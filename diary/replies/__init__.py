"""Replies of the model to entries, in built-in and custom styles.

services     start, stop, retry, delete
tasks        the generation of one reply
reply_kinds  the styles
section      the view of a reply and its HTML
presenters   replies for pages and tabs
errors       why a reply was not started
"""
