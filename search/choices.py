"""The settings of search, read in one place.

SEARCH_MODEL        which embedder; its vectors are of no use to another
SEARCH_MODEL_PATH   a folder with its files, for machines without a network; else the data folder's own
SEARCH_THREADS      how many threads embedding may use
SEARCH_MEMORY_MB    how much memory all people's indexes may take together
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

DEFAULT_MODEL = "BAAI/bge-small-en-v1.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchChoices:
    """What the household has chosen."""

    model: str
    model_path: str
    threads: int
    memory: int
    folder: Path

    @property
    def models_folder(self) -> Path:
        """Return where a downloaded embedder lies."""
        return self.folder.parent / "models" / "embedding"


def chosen() -> SearchChoices:
    """Return the settings as they are now."""
    return SearchChoices(
        model=getattr(settings, "SEARCH_MODEL", DEFAULT_MODEL),
        model_path=getattr(settings, "SEARCH_MODEL_PATH", ""),
        threads=getattr(settings, "SEARCH_THREADS", 1),
        memory=getattr(settings, "SEARCH_MEMORY_MB", 1024) * 1024 * 1024,
        folder=Path(settings.DATA_DIR) / "search",
    )
