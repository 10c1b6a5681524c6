"""The Django app of the clock: its migrations, which once made a table for the record."""

from django.apps import AppConfig


class ClockConfig(AppConfig):
    """Configuration of the app of the clock."""

    name = "llamora.clock"
    label = "clock"
