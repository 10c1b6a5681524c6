"""Harmonia's calls.

calls           the calls
fact_memories   facts as memories
bodies          the structs that the calls take and answer
"""
