"""Blind indexes of facts: by subject and relation, and by sentence.

They are computed with keys of the realm `facts`.
"""

from llamora.crypto import current_realm_keyring
from traces.facts.fact_body import FactText, get_text
from traces.facts.models import SAME_INDEX_LABEL, SUBJECT_INDEX_LABEL, Fact


def compute_subject_index(text: FactText) -> bytes:
    """Return the blind index `subject_index`, which is equal for the same subject and relation.

    It is computed with the keyring in force.
    """
    return current_realm_keyring().blind_index(label=SUBJECT_INDEX_LABEL, value=text.subject_key)


def compute_same_index(text: FactText) -> bytes:
    """Return the blind index `same_index`, which is equal for sentences of the same meaning.

    It is computed with the keyring in force.
    """
    return current_realm_keyring().blind_index(label=SAME_INDEX_LABEL, value=text.same_key)


def set_indexes(fact: Fact, text: FactText | None = None) -> None:
    """Set the blind indexes of a fact from `text`, or by default from the sentence in the fact's body."""
    text = text or get_text(fact.body)
    fact.subject_index, fact.same_index = compute_subject_index(text), compute_same_index(text)
