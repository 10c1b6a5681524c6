"""The household's settings on a database that takes nothing more: `LLAMORA_TEST_PRAGMAS` goes to SQLite."""

import os

from llamora.settings import *  # noqa: F403
from llamora.settings import DATABASES

_PRAGMAS = os.environ.get("LLAMORA_TEST_PRAGMAS", "")
DATABASES["default"]["OPTIONS"]["init_command"] += f";{_PRAGMAS}"  # type: ignore[index]  # a dict of dicts
