"""Search for the facts that the model reads for a reply or an answer.

Call these functions inside `in_force`, which makes the owner's keys available.

Only an index that is already loaded is used, and nothing is sent to a model on another machine, since the
person did not choose these facts.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from diary.generation.unique_jobs import may_send_unrequested
from diary.hooks import RecalledFact
from diary.models import Entry
from llamora.crypto import CryptoError, Realm, RealmKeyring, current_realm_keyring
from llamora.inference import model_server
from search.errors import IndexClosed
from search.fact_recall.ranking import rank_facts
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from search.index.unlocked_index import find_unlocked_index
from traces.facts.models import Fact
from traces.facts.recall import MAX_RECALLED, load_recalled

# More than are read, since some of them may not be.
_EXAMINED: Final = 3 * MAX_RECALLED


def recall_for_entry(entry: Entry) -> list[RecalledFact]:
    """Return the facts that bear on an entry, the nearest first."""
    if not may_send_unrequested(model_server.get_status()):
        return []
    keyring = current_realm_keyring()
    return _recall(keyring, lambda index: rank_facts(index, str(entry.text), id_=entry.id, limit=_EXAMINED))


def recall_for_question(keyring: RealmKeyring, question: str) -> list[RecalledFact]:
    """Return the facts that bear on a question, the nearest first.

    The list is empty if facts may not be read.
    """
    if not may_send_unrequested(model_server.get_status()):
        return []
    return _recall(keyring, lambda index: rank_facts(index, question, limit=_EXAMINED))


def _recall(keyring: RealmKeyring, rank: Callable[[PersonIndex], list[UUID]]) -> list[RecalledFact]:
    """Return what may be read of the facts found; nothing if search fails, since a reply must not fail."""
    if not keyring.has_realm(Realm.FACTS) or not Fact.objects.only_accepted(keyring.owner).exists():
        return []
    try:
        index = find_unlocked_index(keyring)
    except CryptoError:
        return []
    try:
        ids = rank(index)
    except (IndexClosed, CryptoError):
        return []
    except Exception as error:
        indexes.discard(index, error)
        return []
    return load_recalled(keyring.owner, ids)
