"""The Django app of the clock: one table with one row."""

from django.apps import AppConfig


class ClockConfig(AppConfig):
    """Configuration of the app with the record of passed time."""

    name = "llamora.clock"
    label = "clock"
