"""diary.models.replies."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from diary.models.entries import Entry
from llamora.fields import SealedJSONField, SealedModel, SealedTextField


class ReplyState(models.TextChoices):
    """Where a reply stands. All but `waiting` and `writing` are final."""

    WAITING = "waiting", "Waiting"
    WRITING = "writing", "Writing"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"
    INTERRUPTED = "interrupted", "Interrupted"
    FAILED = "failed", "Failed"


class ReplyKind(models.TextChoices):
    """What was asked for."""

    RESPOND = "respond", "Respond"
    REFLECT = "reflect", "Reflect back"
    QUESTION = "question", "Ask me a question"
    SUMMARY = "summary", "Plain summary"
    OWN = "own", "In a way of one's own"


class Reply(SealedModel):
    """What the model answered to an entry; `reason` is a code, never words of the model."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="replies")
    kind = models.CharField(max_length=32, choices=ReplyKind.choices, default=ReplyKind.RESPOND)
    state = models.CharField(max_length=16, choices=ReplyState.choices, default=ReplyState.WAITING)
    reason = models.CharField(max_length=32, blank=True, default="")
    text = SealedTextField(
        label="diary.reply.text", bound={"entry_id": "diary.reply.entry", "kind": "diary.reply.kind"}
    )
    # What was read for it and what was left out, and what a way of one's own is called: see `diary.reading`.
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
    """A way of answering: `name` and `wish`, both the person's words."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    words = SealedJSONField(label="diary.own_kind.words")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "diary_ownkind"
        verbose_name = "way of answering"
        verbose_name_plural = "ways of answering"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"Way of answering {self.id}"
