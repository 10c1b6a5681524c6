"""Origins: where entries come from, as their owner sees it.

provenance   the sealed value that says it
"""
