"""The Django app of the clock; its migrations once created a table, which is now a file."""

from django.apps import AppConfig


class ClockConfig(AppConfig):
    """Configuration of the app of the clock."""

    name = "llamora.clock"
    label = "clock"
