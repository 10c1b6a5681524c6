"""The Django app of the clock. It has no models: it remains for its migrations.

They move a table of earlier versions to the file of `record_file`.
"""

from django.apps import AppConfig


class ClockConfig(AppConfig):
    """Configuration of the app of the clock."""

    name = "llamora.clock"
    label = "clock"
