"""The Django app of operations: commands and system checks, no tables."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Configuration of the app with the commands `manage.py up`, `backup`, `doctor` and others."""

    name = "llamora.ops"

    def ready(self) -> None:
        """Register the system checks."""
        from llamora.ops import checks  # noqa: F401, PLC0415 - importing registers them
