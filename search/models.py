"""Sealed vectors, and the searches a person submitted, unless they would rather not have them saved.

Visible without a key: which texts have vectors, made by which embedder, and about how many.
"""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from llamora.fields import SealedBytesField, SealedModel, SealedTextField

MAX_RECENT: Final = 20


class Vector(SealedModel):
    """The vectors of one text's chunks, in the bytes that `search.index.vector_store` documents.

    `source` is the id of an entry, a reply or whatever else can be found; it is no foreign key, because
    it points into several tables. Receivers take a vector away with its text.
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
    """A search that was submitted; only its time shows without a key."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = SealedTextField(label="search.recent.text")
    searched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "recent searches"
        ordering = ("-searched_at",)

    def __str__(self) -> str:
        return f"Search {self.id}"
