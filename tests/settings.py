"""Settings of a household with a temporary data folder."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.umask(0o077)  # as `up` sets it
_MEMORY = "/dev/shm"
_HAS_ROOM = Path(_MEMORY).is_dir() and shutil.disk_usage(_MEMORY).free > 2**30
# On a disk each commit waits some milliseconds, and the tests commit many thousand times.
HOUSE = Path(tempfile.mkdtemp(prefix="llamora-tests-", dir=_MEMORY if _HAS_ROOM else None))
atexit.register(shutil.rmtree, HOUSE, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("LLAMORA_") and "_TEST_" not in name]:
    del os.environ[_name]
(HOUSE / "data").mkdir(mode=0o700)
(HOUSE / "data" / "static").mkdir()
(HOUSE / "run").mkdir(mode=0o700)
os.environ["LLAMORA_DATA_DIR"] = str(HOUSE / "data")
os.environ["LLAMORA_RUNTIME_DIR"] = str(HOUSE / "run")
# Loading the embedder takes a second; who tests it sets this.
os.environ["LLAMORA_SEARCH_MODEL"] = "off"

from llamora.settings import *  # noqa: E402, F403 - the folder comes first
from llamora.settings import DATABASES, STORAGES  # noqa: E402

RESERVE_MIB = 0  # many data folders of tests share one disk
# A derivation at its real cost takes longer than most tests.
ARGON2_MEMORY_KIB, ARGON2_TIME, ARGON2_LANES = 8, 1, 1
# A database file, as in a household: the raw bytes and the write-ahead log can then be searched.
DATABASES["default"]["TEST"] = {"NAME": HOUSE / "data" / "test.sqlite3"}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
