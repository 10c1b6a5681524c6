"""The command `prompts`: fills in each prompt with a sample day, and counts its tokens."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diary.generation.prompt_templates import PromptReport, check_prompt, list_names
from llamora.pluralize import pluralize


class Command(BaseCommand):
    """Command that checks the prompts of the household, and can print them."""

    help = (
        "Check every prompt: fill it in with a sample day, and say its version, where it is from and about "
        "how many tokens it takes. Ends with an error if a file in the folder prompts of the data folder "
        "can't be used; Llamora then uses its own prompt instead. Nobody's diary is opened."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the action, and the name of a prompt to print."""
        parser.add_argument("action", choices=["check"], help="what to do")
        parser.add_argument("--show", metavar="NAME", help="also print this prompt, filled in")

    def handle(self, *args: Any, show: str | None, **options: Any) -> None:
        """Print a line for each prompt, and the messages of the prompt named with `--show`."""
        names = list_names()
        if show and show not in names:
            raise CommandError(f"There is no prompt of this name. There are: {', '.join(names)}.")
        reports = [check_prompt(name) for name in names]
        for report in reports:
            self.stdout.write(_describe(report))
            if show == report.name:
                for turn in report.messages:
                    self.stdout.write(f"\n--- {turn['role']} ---\n{turn['content']}\n")
        if problems := [report for report in reports if report.problem]:
            raise CommandError(
                f"{pluralize(len(problems), 'prompt', 'prompts')} of the household can't be used; see above."
            )


def _describe(report: PromptReport) -> str:
    options = report.options
    parts = [
        f"version {options.version}" if options.version else "no version",
        "of the household" if report.is_own else "of Llamora",
        f"about {pluralize(report.tokens, 'token', 'tokens')} with a sample day",
    ]
    if options.temperature is not None:
        parts.append(f"temperature {options.temperature:g}")
    if options.max_words:
        parts.append(f"ends after {options.max_words} words")
    line = f"{report.name}: {', '.join(parts)}"
    return f"{line}\n  {report.problem}" if report.problem else line
