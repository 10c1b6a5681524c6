"""Measurements of `bench --only api`: how API clients delay pages, and what loading the API's code costs.

calls.py           pages and saves before, during and after the calls of many programs
call_process.py    those programs, in a process of their own
plain_process.py   a trivial server for the same calls, as the baseline
imports.py         import time and memory of the API's modules
import_process.py  a process that imports them
"""
