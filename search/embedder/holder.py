"""The embedder of this process: chosen by the settings, loaded when it is first needed, dropped when idle."""

import logging
from threading import Lock
from typing import Final

from search.embedder import fastembed_models
from search.embedder.fastembed_models import FastEmbedder
from search.embedder.included import INCLUDED, IncludedEmbedder
from search.embedder.search_settings import OFF, SearchSettings, get_search_settings
from search.embedder.types import Embedder
from search.errors import EmbedderUnavailable

logger = logging.getLogger("llamora.search")

# Before one came with Llamora, this was downloaded if someone asked for a model without naming it.
FORMER_DEFAULT: Final = "BAAI/bge-small-en-v1.5"


def choose_model(search_settings: SearchSettings) -> str:
    """Return the name of the model to use, or `off`.

    If the settings name a folder, the model in that folder is used instead, unless this returns `off`.
    """
    if search_settings.model:
        return search_settings.model
    former = fastembed_models.is_downloaded(FORMER_DEFAULT, search_settings)
    return FORMER_DEFAULT if former else INCLUDED


def _load(search_settings: SearchSettings) -> Embedder:
    model = choose_model(search_settings)
    if model == OFF:
        raise EmbedderUnavailable("off")
    if search_settings.model_path:
        return fastembed_models.load_from_folder(search_settings)
    if model.lower() == INCLUDED.lower():
        return IncludedEmbedder(threads=search_settings.threads)
    if not fastembed_models.has_downloads(search_settings):
        raise EmbedderUnavailable("absent", f"{model} was not downloaded")
    return FastEmbedder(search_settings, model)


def is_for_download(search_settings: SearchSettings) -> bool:
    """Return whether the settings name a model that has to be downloaded.

    That is a model which is not included in Llamora, while the settings name no folder with a model.
    """
    own = ("", OFF, INCLUDED.lower())
    return search_settings.model.lower() not in own and not search_settings.model_path


class EmbedderHolder:
    """Cache of this process's embedder.

    While it is empty, each `get` looks for the model's files, unless the model was found to be broken.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._settings: SearchSettings | None = None
        self._embedder: Embedder | None = None
        self._failure: EmbedderUnavailable | None = None
        self._was_loaded_here = False

    def get(self) -> Embedder:
        """Return the embedder, loaded at the first call; raise EmbedderUnavailable."""
        with self._lock:
            search_settings = get_search_settings()
            if self._settings == search_settings:
                if self._embedder is not None:
                    return self._embedder
                if self._failure is not None and self._failure.code == "broken":
                    raise self._failure
            try:
                embedder = _load(search_settings)
            except EmbedderUnavailable as failure:
                self._report(failure)
                self._set(None, search_settings, failure)
                raise
            self._set(embedder, search_settings)
            self._was_loaded_here = True
            return embedder

    def _set(
        self,
        embedder: Embedder | None,
        search_settings: SearchSettings,
        failure: EmbedderUnavailable | None = None,
    ) -> None:
        self._embedder, self._settings, self._failure = embedder, search_settings, failure
        self._was_loaded_here = False

    def _report(self, failure: EmbedderUnavailable) -> None:
        """Log a failure, once as long as it stays the same."""
        if failure.detail and (self._failure is None or self._failure.detail != failure.detail):
            logger.warning("Related-entry search is off: %s", failure.detail)

    def set_embedder(self, embedder: Embedder | None) -> None:
        """Replace the cached embedder for the present settings; None clears the cache."""
        with self._lock:
            self._set(embedder, get_search_settings())

    def unload(self) -> None:
        """Remove the embedder from memory if `get` loaded it. The next `get` loads it again."""
        with self._lock:
            if self._was_loaded_here and self._settings is not None:
                self._set(None, self._settings)

    def download(self) -> Embedder:
        """Download the embedder that the settings name, and use it; raise EmbedderUnavailable.

        Called only by `reindex`; nothing is downloaded unasked.
        """
        search_settings = get_search_settings()
        search_settings.models_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        embedder = FastEmbedder(search_settings, search_settings.model, fetch=True)
        self.set_embedder(embedder)
        return embedder


embedders = EmbedderHolder()
