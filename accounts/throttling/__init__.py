"""Throttling of failed attempts: delays that grow with the number of failures.

    throttle.py        delays by name and by address; all callers use `throttle.attempt`
    client_ip.py       the address of a request, in the form in which failures are counted
    device_cookie.py   a recognised browser, whose failures are counted separately from its address

The slow pool (`llamora.asgi`) limits how many requests use the processor at once, and the derivation queue
(`accounts.keys.key_slots`) how many keys are derived at once. While a throttled request waits, the next
request in the slow pool runs.

Where there is no room for everybody, both prefer addresses with fewer unsuccessful attempts, and keep places
for recognised browsers.
"""
