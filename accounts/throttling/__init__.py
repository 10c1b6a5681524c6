"""Throttling of failed attempts: growing delays, and what they are counted by.

    throttle.py        delays for each name and address; `throttle.attempt` is the one way in
    client_ip.py       the address of a request, as it is counted
    device_cookie.py   a recognised browser, which is counted separately from its address

How many requests use the processor at once is the business of the slow pool (`llamora.asgi`), and how many
keys are derived at once that of the derivation queue (`accounts.keys.key_slots`); a throttled request gives
up its turn in that pool while it waits.
"""
