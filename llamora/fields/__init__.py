"""Model fields whose values are encrypted (sealed) on save and decrypted (opened) on access.

A `SealedModel` has an `owner` and a primary key known before insert. Each sealed field declares a
*label*, which never changes (a test lists them all), and the plaintext columns it is *bound* to, also by
frozen labels. Row id, owner, epoch, label and bound values are authenticated with the text, so an envelope
that is moved to another row, column, owner or day does not open. Plaintext columns that change often have a
MAC of their own (`MacField`), which is checked whenever a sealed column of the row is opened.

    values.py    values in memory: SealedValue (envelope) or UnsavedValue (assigned, not yet sealed)
    sealed.py    the fields
    access.py    the descriptor of the fields
    ids.py       primary keys that are created before the insert
    models.py    SealedModel and its queryset, which limit how sealed columns may be written
    rows.py      very many rows, opened without model instances
    fence.py     the database triggers that refuse an envelope of another epoch
"""

from llamora.fields.ids import new_id
from llamora.fields.models import SealedManager, SealedModel, SealedQuerySet
from llamora.fields.sealed import MacField, SealedBytesField, SealedField, SealedJSONField, SealedTextField
from llamora.fields.values import SealedFieldError, SealedValue

__all__ = [
    "MacField",
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
