"""Check-ins: while a diary is unlocked, the model regularly answers the standing requests of its owner.

choices            the settings of a person: whether, how often and when; sealed
schedule           when the next check-in is due
request_list       the requests in the note `HEARTBEAT.md`, and which of them are open now
answers            parser and check of the proposals in the model's answer
tasks              the generation of one check-in
services           check-ins by hand and by schedule, and what a person does with their proposals
threads            one thread for each person with check-ins
presenters         the page and the section of today's page
views              the page and its forms
"""
