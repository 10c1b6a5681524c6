"""An app that makes a served household back up and prune continuously, instead of every ten minutes."""

from django.apps import AppConfig


class HastyRoundsConfig(AppConfig):
    """Configuration that shortens the interval of background rounds."""

    name = "tests.losses"
    label = "losses"

    def ready(self) -> None:
        from llamora.ops import background

        background.FIRST_ROUND_SECONDS = background.ROUND_SECONDS = 0.2
