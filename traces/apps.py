"""The app of traces: small labels that make return easy."""

from django.apps import AppConfig


class TracesConfig(AppConfig):
    """What a person keeps to find their way back."""

    name = "traces"
    verbose_name = "Traces"

    def ready(self) -> None:
        from traces import receivers  # noqa: PLC0415 - models must be loaded first

        receivers.connect()
        receivers.connect_summaries()
