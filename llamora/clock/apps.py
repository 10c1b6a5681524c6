"""The Django app of the clock. It has no models, and exists only for its migrations.

In a database of an earlier version, they move the record from its table to the file of `record_file`.
"""

from django.apps import AppConfig


class ClockConfig(AppConfig):
    """Configuration of the app of the clock."""

    name = "llamora.clock"
    label = "clock"
