"""Sealed vectors, and a person's recent searches if they allow saving them.

Visible without a key: which texts have vectors, from which embedder, roughly how many vectors each, and when
a search was made.
"""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from llamora.fields import SealedBytesField, SealedModel, SealedTextField

MAX_RECENT: Final = 20


class Vector(SealedModel):
    """The vectors of a text's chunks, in the byte format that `search.index.vector_store` documents.

    `source` is the id of an entry, reply or other searchable text; it is no foreign key, because these are in
    several tables. Receivers delete a vector with its text.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    source = models.UUIDField()
    embedder = models.CharField(max_length=120)
    rule = models.CharField(max_length=40)
    body = SealedBytesField(
        label="search.vector.body",
        bound={
            "source": "search.vector.source",
            "embedder": "search.vector.embedder",
            "rule": "search.vector.rule",
        },
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "source"], name="one_vector_row_for_each_text")
        ]

    def __str__(self) -> str:
        return f"Vector {self.id}"


class RecentSearch(SealedModel):
    """A submitted search; only its time is readable without a key."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = SealedTextField(label="search.recent.text")
    searched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "recent searches"
        ordering = ("-searched_at",)

    def __str__(self) -> str:
        return f"Search {self.id}"
