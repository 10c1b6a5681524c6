"""The progress of a search for facts through the whole diary, for templates."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from traces.facts.pages.messages import NO_MODEL_FOR_SEARCH
from traces.facts.proposals.diary_walk import WalkProgress, get_progress
from traces.facts.proposals.services import can_find_facts

WALK_TEMPLATE: Final = "traces/facts/fragments/diary_walk.html"
_SENTENCES: Final = {
    "running": "Your entries are being read, the latest first.",
    "waiting": "It waits while the model writes something else.",
    "no_model": "It waits for a model on this machine.",
    "stopped": "Stopped. Start it again to go on where it ended.",
    "finished": "All your entries have been read.",
    "failed": "It stopped, because the model failed at several entries in a row. Start it again to go on.",
}


@dataclass(frozen=True, kw_only=True)
class WalkView:
    """Template data of a walk, in which a model reads the entries of a diary and proposes facts."""

    sentence: str
    read: int = 0
    total: int = 0
    found: int = 0
    is_running: bool = False
    can_start: bool = False


def build_walk_view(owner_id: UUID) -> WalkView:
    """Return the template data of the walk, in which a model reads a person's entries for facts."""
    progress, can_start = get_progress(owner_id), can_find_facts()
    if progress is None:
        return WalkView(sentence="" if can_start else NO_MODEL_FOR_SEARCH, can_start=can_start)
    return _build_view(progress, can_start=can_start)


def _build_view(progress: WalkProgress, *, can_start: bool) -> WalkView:
    return WalkView(
        sentence=_SENTENCES[progress.state],
        read=progress.read,
        total=progress.total,
        found=progress.found,
        is_running=progress.is_running,
        can_start=can_start and not progress.is_running,
    )
