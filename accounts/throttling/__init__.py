"""Throttling of failed attempts: delays that grow with the number of failures.

    throttle.py        delays by name and by address; all callers use `throttle.attempt`
    client_ip.py       the client's IP address, normalised for the counts
    device_cookie.py   the cookie of a recognised browser, which is counted separately from its address

The slow pool (`llamora.asgi`) limits how many requests use the processor at once, and the derivation queue
(`accounts.keys.key_slots`) how many keys are derived at once. While a throttled request waits, the next
request in the slow pool runs.

If there are too many requests, both prefer addresses with fewer unsuccessful attempts, and reserve places for
recognised browsers.
"""
