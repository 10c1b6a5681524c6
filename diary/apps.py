"""The diary app: days, entries, drafts, replies, openings and recaps."""

from django.apps import AppConfig


class DiaryConfig(AppConfig):
    """Configuration of the diary app."""

    name = "diary"
    verbose_name = "Diary"

    def ready(self) -> None:
        from diary import receivers  # noqa: PLC0415 - models must be loaded first
        from diary.transfer import downloads  # noqa: PLC0415 - models must be loaded first

        receivers.connect()
        receivers.register_inventory_labels()
        downloads.connect()
