"""Check-ins: while a diary is unlocked, the model looks at its owner's standing requests from time to time.

choices            whether there are check-ins, how often and when, sealed
schedule           when the next one is due
request_list       the requests in the note `HEARTBEAT.md`, and which of them are open now
answers            parser and check of what the model proposes
tasks              the generation of one check-in
services           check-ins by hand and by schedule, and what a person does with their proposals
threads            the thread of each person for whom they are on
presenters         the page and the section of today's page
views              the page and its forms
"""
