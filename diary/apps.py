"""The diary app: days, entries, drafts, replies, openings and recaps."""

from django.apps import AppConfig


class DiaryConfig(AppConfig):
    """Configuration of the diary app."""

    name = "diary"
    verbose_name = "Diary"

    def ready(self) -> None:
        from accounts.rotation.format_2 import register_first_values  # noqa: PLC0415 - models must be loaded first
        from diary import receivers  # noqa: PLC0415 - as above
        from diary.entries.services import write_origins  # noqa: PLC0415 - as above
        from diary.inbox.boxes import load_token_senders, register_senders  # noqa: PLC0415 - as above
        from diary.origins import claim_threads  # noqa: PLC0415 - as above
        from diary.transfer import downloads  # noqa: PLC0415 - models must be loaded first

        receivers.connect()
        receivers.register_inventory_labels()
        downloads.connect()
        claim_threads.connect()
        register_senders(load_token_senders)
        register_first_values("diary.entry.origin", write_origins)
