"""Measurements of `bench --only facts`: pages, calls, exports and changes of a person with many facts.

served.py         the list, typing, calls of a program and unlocking, over real sockets
fact_process.py   a process that writes the facts, and measures exports and changes of them
"""
