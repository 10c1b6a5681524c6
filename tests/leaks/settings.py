"""The household's settings with all loggers at debug level, libraries included."""

from llamora.settings import LOGGING
from tests.served_settings import *  # noqa: F403

LOGGING["root"]["level"] = "DEBUG"  # type: ignore[index]  # a dict of dicts
for _logger in LOGGING["loggers"].values():  # type: ignore[attr-defined]  # as above
    _logger["level"] = "DEBUG"
