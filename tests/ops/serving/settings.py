"""Settings of a household with the test pages and the test socket."""

from llamora.settings import INSTALLED_APPS, MIDDLEWARE
from tests.served_settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.ops.serving.apps.ServingConfig"]
MIDDLEWARE = [name for name in MIDDLEWARE if "Csrf" not in name]
ROOT_URLCONF = "tests.ops.serving.urls"
