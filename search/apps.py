"""Django app configuration of search."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Configuration of the search app."""

    name = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        from search import receivers  # noqa: PLC0415 - models must be loaded first

        receivers.connect()
