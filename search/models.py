"""Tables of search: sealed vectors, recent searches, questions with answers, look-backs and check-ins.

Visible without a key: which texts have vectors, from which embedder, and roughly how many; when a search was
made; when, by whom and in which conversation a question was asked; which weeks and months have look-backs;
when check-ins were made, how they ended, and how many proposals they left.
"""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models import TRUSTED_ORIGINS, Origin
from llamora.fields import MacField, SealedBytesField, SealedJSONField, SealedModel, SealedTextField
from llamora.inference.job import JobState

MAX_RECENT: Final = 20


class Vector(SealedModel):
    """The vectors of a text's chunks, in the byte format of `search.index.vector_store`.

    `source` is the id of an entry, reply or other searchable text. It is not a foreign key, because these are
    in several tables. Receivers delete a vector with its text.
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


_BOUND_OF_QUESTION: Final = {
    "session_id": "search.question.session",
    "origin": "search.question.origin",
    "has_read_imported": "search.question.has_read_imported",
}


class Question(SealedModel):
    """A question to a diary, with its answer; questions with the same `session_id` are a conversation.

    `origin` is that of the question's text. `has_read_imported` says that the answer, or an earlier answer of
    the conversation, was written from a text that its owner did not write. `reason` is a code, never text of
    the model.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    session_id = models.UUIDField()
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.OWN, editable=False)
    has_read_imported = models.BooleanField(default=False, editable=False)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.WAITING)
    reason = models.CharField(max_length=32, blank=True, default="")
    text = SealedTextField(label="search.question.text", bound=_BOUND_OF_QUESTION)
    # As the model wrote it; see `search.ask.conversations` for what is shown where no model wrote.
    answer = SealedTextField(label="search.question.answer", bound=_BOUND_OF_QUESTION)
    # The numbered passages, without their words: see `search.ask.passages`.
    sources = SealedJSONField(label="search.question.sources", bound=_BOUND_OF_QUESTION)
    # Its prompt record: see `diary.generation.prompt_record`.
    read = SealedJSONField(label="search.question.read", bound=_BOUND_OF_QUESTION, null=True)
    # What its owner calls the conversation, with the first question of it.
    name = SealedTextField(label="search.question.name", bound=_BOUND_OF_QUESTION, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    mac = MacField(label="search.question.mac", bound={"created_at": "search.question.created_at"})

    class Meta:
        ordering = ("created_at", "id")
        indexes: ClassVar = [
            models.Index(fields=["owner", "session_id", "created_at", "id"], name="question_of_session")
        ]

    def __str__(self) -> str:
        return f"Question {self.id}"

    @property
    def is_trusted(self) -> bool:
        """Whether the owner asked the question, and only the owner's own texts were read to answer it."""
        return self.origin in TRUSTED_ORIGINS and not self.has_read_imported


class LookBack(SealedModel):
    """A text of the model about a week or a month, which begins on `first_day`.

    Its body: {"text", "days": [[day, whether the recap of the day was read], ...] in the order of the numbers
    by which the text cites them, "digest" of the entries at that time, "read": its prompt record}. `reason`
    is a code, never text of the model.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    span = models.CharField(max_length=8, choices=[("week", "Week"), ("month", "Month")])
    first_day = models.DateField()
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.WAITING)
    reason = models.CharField(max_length=32, blank=True, default="")
    body = SealedJSONField(
        label="search.look_back.body",
        bound={"span": "search.look_back.span", "first_day": "search.look_back.first_day"},
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "look backs"
        ordering = ("-first_day", "span", "-created_at", "-id")
        indexes: ClassVar = [models.Index(fields=["owner", "-first_day", "span"], name="look_back_of_period")]

    def __str__(self) -> str:
        return f"Look-back {self.id}"


class CheckInSettings(SealedModel):
    """A person's settings of check-ins: see `search.checkins.choices`."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    body = SealedJSONField(label="search.check_in_settings.body")

    class Meta:
        verbose_name = "check in settings"
        verbose_name_plural = "check in settings"

    def __str__(self) -> str:
        return f"Check-in settings {self.id}"


class CheckIn(SealedModel):
    """The record of a check-in, saved before the model is asked.

    `reason` is a code, never text of the model. `due_at` is when the check-in was due, or was started by hand
    or by a program. It is unique for each person, so that no check-in is made twice.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    due_at = models.DateTimeField()
    is_by_hand = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.WAITING)
    reason = models.CharField(max_length=32, blank=True, default="")
    # {"requests", "prompt_tokens", "output_tokens", "model", "host", "prompt", "by_program"}
    body = SealedJSONField(
        label="search.check_in.body",
        bound={"due_at": "search.check_in.due_at", "is_by_hand": "search.check_in.is_by_hand"},
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-due_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "due_at"], name="check_in_once_when_due")
        ]

    def __str__(self) -> str:
        return f"Check-in {self.id}"


class CheckInProposal(SealedModel):
    """A text that a check-in proposes, until its owner accepts or dismisses it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="proposals")
    is_open = models.BooleanField(default=True)
    # {"request", "text", "quotes", "model", "prompt", "read": ids of entries and facts}
    body = SealedJSONField(
        label="search.check_in_proposal.body", bound={"check_in_id": "search.check_in_proposal.check_in"}
    )
    created_at = models.DateTimeField(default=timezone.now)
    mac = MacField(
        label="search.check_in_proposal.mac", bound={"created_at": "search.check_in_proposal.created_at"}
    )

    class Meta:
        verbose_name = "check in proposal"
        ordering = ("created_at", "id")
        indexes: ClassVar = [
            models.Index(fields=["owner", "created_at"], name="check_in_proposal_by_age"),
        ]

    def __str__(self) -> str:
        return f"Check-in proposal {self.id}"
