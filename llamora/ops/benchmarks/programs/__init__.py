"""The measurements of `bench --only api`: what programs cost a person who writes, and what their code costs.

calls.py           pages of a person before, during and after the calls of many programs
call_process.py    those programs, in a process of their own
plain_process.py   a process that answers their calls at once, for comparison
imports.py         what the modules of the API add to the start and to the memory
import_process.py  a process that imports them
"""
