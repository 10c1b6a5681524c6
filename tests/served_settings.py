"""Settings of a household with cheap key derivations, for the servers of tests.

A derivation at the real cost takes a fifth of a second, and a run needs some hundreds of them. Real costs:
`tests/crypto/test_kdf.py`, and the servers of `tests/ops/test_up.py` that start for the very first time.
"""

import os

from llamora.crypto import Cost, kdf
from llamora.settings import *  # noqa: F403

kdf.FLOOR = Cost(memory_kib=8, time=1, lanes=1)
if "LLAMORA_RESERVE_MIB" not in os.environ:
    # Some hundred households of tests share one disk.
    RESERVE_MIB = 0
ARGON2_MEMORY_KIB, ARGON2_TIME, ARGON2_LANES = 8, 1, 1
