"""The house as a Django app: it has no tables, only commands and checks."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """The app whose `management/commands` are `up`, `backup`, `doctor` and the like."""

    name = "llamora.ops"

    def ready(self) -> None:
        """Register the system checks."""
        from llamora.ops import checks  # noqa: F401, PLC0415 - importing registers them
