"""The app `traces`, for words on entries (people, places, themes) and for remembered facts."""

from django.apps import AppConfig


class TracesConfig(AppConfig):
    """Configuration of the traces app."""

    name = "traces"
    verbose_name = "Traces"

    def ready(self) -> None:
        from traces import receivers  # noqa: PLC0415 - models must be loaded first

        receivers.connect()
