"""The household's settings with SQLite pragmas from `LLAMORA_TEST_PRAGMAS`, to make writes fail."""

import os

from llamora.settings import DATABASES
from tests.served_settings import *  # noqa: F403

_PRAGMAS = os.environ.get("LLAMORA_TEST_PRAGMAS", "")
DATABASES["default"]["OPTIONS"]["init_command"] += f";{_PRAGMAS}"  # type: ignore[index]  # a dict of dicts
