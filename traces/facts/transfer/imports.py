"""Import of facts from the file of another program, each as a proposal that its owner accepts or declines.

The HTTP API and these other programs call facts memories.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from diary.models import Origin
from llamora.database import split_into_parts, write_transaction
from traces.facts.services import FactOrigin, propose_fact
from traces.facts.transfer.harmonia import ParsedMemory, read_memories

SOURCE: Final = "Harmonia"
# So few that a save of others, which waits for each batch, is not slow.
_MOST_NAMED: Final = 20


@dataclass(kw_only=True)
class FactImportCounts:
    """Counts of the facts in an imported file, by what the import did with each fact.

    `proposed`: now waiting. `known`: already waiting, accepted, declined or forgotten. `ended`: deleted or no
    longer true in the other program. `refused`: not valid as a fact, the first twenty with their number in
    the file and a sentence.
    """

    read: int = 0
    proposed: int = 0
    known: int = 0
    ended: int = 0
    refused: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def import_harmonia(owner_id: UUID, content: bytes, *, source: str = SOURCE) -> FactImportCounts:
    """Propose the memories of a JSON file, and count them; raise InvalidFactFile if none can be read.

    Nothing is accepted, and a file that was imported before proposes nothing again. Saved in parts: what was
    proposed before an error stays, and the same file goes on from there.
    """
    counts, memories = FactImportCounts(), read_memories(content)
    for part in split_into_parts(memories):
        with write_transaction():
            for memory in part:
                _propose(owner_id, memory, source, counts)
    return counts


def _propose(owner_id: UUID, memory: ParsedMemory, source: str, counts: FactImportCounts) -> None:
    counts.read += 1
    if memory.refused:
        counts.refused += 1
        if len(counts.problems) < _MOST_NAMED:
            counts.problems.append((memory.number, memory.refused))
        return
    if memory.text is None:
        counts.ended += 1
        return
    where = FactOrigin(origin=Origin.IMPORTED, details={**memory.details, "source": source})
    if propose_fact(owner_id=owner_id, text=memory.text, where=where) is None:
        counts.known += 1
    else:
        counts.proposed += 1
