"""Settings of a household with daily rounds that follow each other closely."""

from llamora.settings import INSTALLED_APPS
from tests.served_settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.losses.apps.HastyRoundsConfig"]
