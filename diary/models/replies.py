"""Tables of replies, which the language model writes to entries, and of reply styles.

Reply            a reply, complete or unfinished
ReplyKind        the built-in reply styles
CustomReplyKind  a reply style that a person described in their own words
"""

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models.entries import Entry
from llamora.fields import SealedJSONField, SealedModel, SealedTextField
from llamora.inference.job import JobState


class ReplyKind(models.TextChoices):
    """The style of a reply; `own` stands for a custom style.

    A new style needs a member here, a verb in `_VERBS`, a prompt `prompts/<value>.txt`, and a migration.
    """

    RESPOND = "respond", "Reply"
    REFLECT = "reflect", "Reflect back"
    QUESTION = "question", "Ask me a question"
    SUMMARY = "summary", "Plain summary"
    OWN = "own", "Custom style"

    @property
    def verb(self) -> str:
        """The words that follow the model's name, such as "asks"; empty for a style without such words."""
        return _VERBS.get(self.value, "")

    @classmethod
    def list_in_menu(cls) -> "list[ReplyKind]":
        """Return the styles with a button in the menu of an entry."""
        return [kind for kind in cls if kind not in (cls.RESPOND, cls.OWN)]


_VERBS = {"reflect": "reflects back", "question": "asks", "summary": "sums up"}


class Reply(SealedModel):
    """A reply of the model to an entry. `reason` is a code that explains `state`, never model text."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="replies")
    kind = models.CharField(max_length=32, choices=ReplyKind.choices, default=ReplyKind.RESPOND)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.WAITING)
    reason = models.CharField(max_length=32, blank=True, default="")
    text = SealedTextField(
        label="diary.reply.text", bound={"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"}
    )
    # Its prompt record (see `diary.generation.prompt_record`), with the name of its custom reply style.
    read = SealedJSONField(
        label="diary.reply.read",
        bound={"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"},
        null=True,
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "replies"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"Reply {self.id}"


class CustomReplyKind(SealedModel):
    """A custom reply style, as {"name", "wish", "origin"}: its name, its instruction, and the origin of both.

    `origin` is missing if the person wrote them.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    words = SealedJSONField(label="diary.own_kind.words")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "diary_ownkind"
        # The key of these rows in exports, which stays; what people read is in `diary.receivers`.
        verbose_name = "way of answering"
        verbose_name_plural = "ways of answering"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"Reply style {self.id}"
