"""`manage.py reindex`: rebuild a person's search index."""

import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.management import secret_prompt
from diary.management.progress import ProgressBar
from search import messages
from search.embedder.holder import embedders, is_for_download
from search.embedder.search_settings import get_search_settings
from search.errors import EmbedderUnavailable
from search.index.rebuild import IndexSummary, rebuild_index


class Command(BaseCommand):
    """Command that rebuilds the index of one person from all their texts, and saves it sealed."""

    help = (
        "Rebuild the search index of NAME, for words and for related entries. Asks for the password or "
        "recovery code. Changes no entry. --fetch-model first downloads the model that LLAMORA_SEARCH_MODEL "
        "names; no other command downloads anything. Refuses an unknown name, a wrong password or code, and "
        "--fetch-model if no model is named or it can't be downloaded."
    )

    # `doctor` reports what the checks of the installation find.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the name of the person and the options."""
        secret_prompt.add_arguments(parser)
        parser.add_argument(
            "--vectors",
            action="store_true",
            help="also index all texts for related-entry search again, not only changed ones",
        )
        parser.add_argument(
            "--fetch-model",
            action="store_true",
            help="download the model that LLAMORA_SEARCH_MODEL names",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild the index, and print its counts."""
        if options["fetch_model"]:
            self._download_embedder()
        try:
            found = secret_prompt.open_diary_with_prompt(
                name=options["name"], password_file=options["password_file"]
            )
        except AccountsError as error:
            raise CommandError(error_messages.get_error_message(error)) from None
        except (EOFError, KeyboardInterrupt):
            raise CommandError(messages.NO_PASSWORD) from None
        with _without_log(), closing(found.keyring) as keyring, ProgressBar(sys.stderr, total=100) as bar:
            built = rebuild_index(
                keyring,
                vectors=options["vectors"],
                progress=lambda done, whole: bar.show(100 * done // whole, f"{done:,} of {whole:,} texts"),
            )
        self._print_summary(built)

    def _download_embedder(self) -> None:
        chosen = get_search_settings()
        if not is_for_download(chosen):
            raise CommandError(messages.NOT_FOR_DOWNLOAD)
        self.stdout.write(messages.DOWNLOADING.format(model=chosen.model, folder=chosen.models_folder))
        try:
            embedders.download()
        except EmbedderUnavailable:
            raise CommandError(messages.NOT_DOWNLOADED) from None

    def _print_summary(self, built: IndexSummary) -> None:
        self.stdout.write(messages.INDEXED_WORDS.format(texts=built.texts))
        if built.why_not_embedded:
            self.stdout.write(messages.get_embedding_message(built.why_not_embedded))
        else:
            self.stdout.write(messages.INDEXED_MEANING.format(chunks=built.chunks))


@contextmanager
def _without_log() -> Iterator[None]:
    """Suppress the warnings that search logs: the command reports problems in its own words."""
    logger = logging.getLogger("llamora.search")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
