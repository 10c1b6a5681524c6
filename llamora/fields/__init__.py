"""Model fields whose columns hold envelopes: opened on access, sealed on save, and readable in no other way.

A `SealedModel` has an `owner` and a primary key known before insert. Each sealed field declares a
*label*, frozen for good (a test pins them all), and the plaintext columns it is *bound* to, by frozen
labels too. Row id, owner, epoch, label and bound values are authenticated with the text, so bytes moved
to another row, column, owner or day do not open.

    values.py    what a row holds in memory: SealedValue (envelope) or UnsavedValue (assigned, not yet sealed)
    sealed.py    the fields
    access.py    their descriptor
    ids.py       primary keys known before the insert
    models.py    SealedModel and its queryset: what may be written, and how
    fence.py     the database triggers that refuse an envelope of another epoch
"""

from llamora.fields.ids import new_id
from llamora.fields.models import SealedManager, SealedModel, SealedQuerySet
from llamora.fields.sealed import SealedBytesField, SealedField, SealedJSONField, SealedTextField
from llamora.fields.values import SealedFieldError, SealedValue

__all__ = [
    "SealedBytesField",
    "SealedField",
    "SealedFieldError",
    "SealedJSONField",
    "SealedManager",
    "SealedModel",
    "SealedQuerySet",
    "SealedTextField",
    "SealedValue",
    "new_id",
]
