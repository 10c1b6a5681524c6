"""The settings of search.

SEARCH_MODEL        name of a model of fastembed, or `off`; if empty: see `holder.choose_model`
SEARCH_MODEL_PATH   folder of the model files, for machines without a network
SEARCH_THREADS      number of threads for embedding
SEARCH_MEMORY_MB    memory limit for the indexes of all people together
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

OFF: Final = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """Settings of search, read from Django's settings."""

    model: str
    model_path: str
    threads: int
    memory: int
    folder: Path

    @property
    def models_folder(self) -> Path:
        """Return the folder of downloaded embedders."""
        return self.folder.parent / "models" / "embedding"


def get_search_settings() -> SearchSettings:
    """Return the current settings of search."""
    return SearchSettings(
        model=settings.SEARCH_MODEL,
        model_path=settings.SEARCH_MODEL_PATH,
        threads=settings.SEARCH_THREADS,
        memory=settings.SEARCH_MEMORY_MB * 1024 * 1024,
        folder=Path(settings.DATA_DIR) / "search",
    )
