"""The house as a Django app: it has no tables, only commands and checks."""

from django.apps import AppConfig


class HouseConfig(AppConfig):
    """Named after the package, so that Django finds `llamora/management/commands`."""

    name = "llamora"

    def ready(self) -> None:
        """Register the system checks."""
        from llamora.management import checks  # noqa: F401, PLC0415 - importing registers them
