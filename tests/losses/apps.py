"""The app that lets a served household make a backup and prune every moment instead of every ten minutes."""

from django.apps import AppConfig


class HastyRoundsConfig(AppConfig):
    name = "tests.losses"
    label = "losses"

    def ready(self) -> None:
        from llamora.ops import background

        background.FIRST_ROUND_SECONDS = background.ROUND_SECONDS = 0.2
