from llamora.settings import *  # noqa: F403
from llamora.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "tests.ops.serving.apps.ServingConfig"]
MIDDLEWARE = [name for name in MIDDLEWARE if "Csrf" not in name]
ROOT_URLCONF = "tests.ops.serving.urls"
