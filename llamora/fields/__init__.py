"""Django model fields that encrypt (seal) their values on save and decrypt (open) them on access.

A `SealedModel` has an `owner`, and a primary key that is set before the insert. Each sealed field declares a
*label*, which never changes (a test lists them all), and the plaintext columns that it is *bound* to, also by
frozen labels. Row id, owner, epoch, label and bound values are authenticated with the ciphertext (AAD), so an
envelope that is moved to another row, column, owner or day does not open. Plaintext columns that change often
have a separate MAC (`MacField`), which is checked whenever a sealed column of the row is opened.

    values.py      values in memory: SealedValue (envelope) or UnsavedValue (assigned, not yet sealed)
    sealed.py      the fields
    access.py      the descriptor of the fields
    ids.py         new primary keys
    models.py      SealedModel and its queryset, which limit how sealed columns may be written
    rows.py        fast decryption of many rows, without model instances
    key_epochs.py  the latest epoch of a diary's key, by which damage is told from a rotation
    fence.py       database triggers that refuse an envelope of another epoch
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
