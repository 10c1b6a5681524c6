"""Replies of the model to entries, in built-in and custom styles.

services     start, stop, retry, delete
tasks        the generation of one reply
reply_kinds  the reply styles
section      template data and HTML of one reply
presenters   replies for pages and tabs
errors       reasons why a reply was not started
"""
