"""`manage.py config`: prints the settings in force."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand

from llamora.ops import configuration

ACTIONS: Final = ("show",)


class Command(BaseCommand):
    """The command that prints each setting, its value and its source."""

    help = (
        "Show every setting with its value, and whether that is the default or comes from the file .env or "
        "the environment; where both have it, the environment decides. Names that look like a setting and "
        "have no effect are named, with the nearest setting. Never shows a secret, a password in an address "
        "or what stands after its question mark: of those it says that they are set. Changes nothing, and "
        "opens no diary. Refuses wrong values like every command, with a sentence about the first."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: what to do, and in which format."""
        parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def handle(self, *args: Any, action: str = "show", **options: Any) -> None:
        """Print the settings."""
        found, ignored = configuration.list_settings(), configuration.list_ignored_names()
        if options["json"]:
            printed = {
                "file": str(settings.SETTINGS_FILE),
                "settings": [asdict(setting) for setting in found],
                "ignored": [asdict(name) for name in ignored],
            }
            self.stdout.write(json.dumps(printed, indent=2, ensure_ascii=False))
            return
        presence = "" if settings.SETTINGS_FILE.is_file() else ", which is not there"
        self.stdout.write(f"From the environment and {settings.SETTINGS_FILE}{presence}:")
        width = max(len(setting.name) for setting in found)
        for setting in found:
            source = f"{setting.source}, not .env" if setting.is_ignored_in_file else setting.source
            self.stdout.write(f"{setting.name:<{width}}  {setting.value or 'empty'}  ({source})")
        for name in ignored:
            self.stdout.write(name.sentence)
