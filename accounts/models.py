"""Models of people, their vaults and key slots, their sessions, and invitations.

There is no password column: a password is right if it opens the key slot of the person.

    Person      a member of the household, and their preferences; readable by the administrator
    Vault       a person's current epoch and the keys sealed under their data key
    KeySlot     the data key sealed to the slot's public key; the private half is sealed under a secret
    SignIn      a signed-in browser
    Unlock      the data key for that browser, sealed under a key that is nowhere on the disk
    BrowserKey  the sealed key with which a locked browser authenticates drafts
    AccessToken a key slot of a program, which opens some realms and never a whole diary
    IdempotencyKey   the key of a program's call that stored something, so that it is stored once
    FormerKey   the data key of a former epoch, until its rotation is finished
    Invitation  a link that lets one person register; only the hash of its token is stored
"""

from typing import ClassVar, NoReturn
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.usernames import MAX_KEY, MAX_NAME, fold_username, replace_control_characters
from llamora.fields import SealedBytesField, SealedJSONField, SealedModel, SealedTextField, new_id


class Theme(models.TextChoices):
    """The colour theme of the pages."""

    SYSTEM = "system", "Same as device"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class TextSize(models.TextChoices):
    """The size of the text on the pages."""

    USUAL = "usual", "Normal"
    LARGE = "large", "Large"
    LARGER = "larger", "Larger"


class ClockFormat(models.IntegerChoices):
    """The clock format of times of day: 24 or 12 hours."""

    TWENTY_FOUR = 24, "14:02"
    TWELVE = 12, "2:02 pm"


class PersonManager(models.Manager["Person"]):
    """Queries for people by name."""

    def find_by_name(self, name: str) -> "Person | None":
        """Return the person with that name, ignoring case, or None."""
        return self.filter(name_key=fold_username(name)).first()

    def get_by_natural_key(self, key: str) -> "Person":
        """Return the person whose column `name_key` has this value; used by Django's serializers."""
        return self.get(name_key=key)


class Person(models.Model):
    """A member of the household with a diary, and their preferences. For the password, see KeySlot."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=MAX_NAME)
    name_key = models.CharField(max_length=MAX_KEY, unique=True, editable=False)
    shown_name = models.CharField(max_length=MAX_NAME, blank=True, default="")
    is_staff = models.BooleanField("administrator", default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    week_start = models.PositiveSmallIntegerField(default=0)
    # The language of dates alone. See `accounts.preferences.languages`.
    language = models.CharField(max_length=16, default="en-gb")
    clock = models.PositiveSmallIntegerField(choices=ClockFormat.choices, default=ClockFormat.TWENTY_FOUR)
    # Whether there are keyboard shortcuts of a single key.
    single_keys = models.BooleanField(default=True)
    # Whether Enter alone saves an entry; otherwise Ctrl and Enter do.
    enter_keeps = models.BooleanField(default=False)
    # One of the models that the model server offers; empty for the server's default.
    model = models.CharField(max_length=200, blank=True, default="")
    # The sampling parameters of replies and openings; see `llamora.llm.requests.sampling`.
    sampling = models.JSONField(default=dict, blank=True)
    text_size = models.CharField(max_length=8, choices=TextSize.choices, default=TextSize.USUAL)
    # Minutes without activity until the diary locks, at most the household's limit; empty for that limit.
    idle_minutes = models.PositiveIntegerField(null=True, blank=True)
    makes_openings = models.BooleanField(default=True)
    reads_related_entries = models.BooleanField(default=True)
    # After a reply; traces are always proposed when asked for.
    proposes_traces = models.BooleanField(default=True)
    saves_recent_searches = models.BooleanField(default=True)
    # Whether the day page says no longer that there is no model.
    hides_model_notice = models.BooleanField(default=False)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "name_key"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_anonymous = False
    is_authenticated = True

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        # Admin log, messages and error pages print this; they carry ids only.
        return f"Person {self.id}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.name_key = fold_username(self.name)
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came

    @property
    def display_name(self) -> str:
        """The name shown on the person's own pages."""
        return self.shown_name or self.name

    @property
    def printable_name(self) -> str:
        """The name without control characters, for the output of commands.

        Anyone who can write to the database can change the name.
        """
        return replace_control_characters(str(self.name))

    def get_username(self) -> str:
        """Return the name; used by Django's admin."""
        return self.name

    def get_short_name(self) -> str:
        """Return the displayed name; used by Django's admin."""
        return self.display_name

    def natural_key(self) -> tuple[str]:
        return (self.name_key,)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return whether the person is an administrator; the admin classes restrict permissions further."""
        del perm, obj
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """Return whether the person is an administrator, who sees all sections of the admin."""
        return self.has_perm(app_label)

    def set_password(self, *_: object) -> NoReturn:
        """Raise an error: there is no password column. See `accounts.auth.services`."""
        raise RuntimeError("People have key slots, not password columns; a password is changed by its owner.")

    def has_usable_password(self) -> bool:
        """Return False, because Django cannot check the password of a person."""
        return False


class Vault(SealedModel):
    """A person's vault: keys, lists and preferences of the person, each sealed with the data key.

    The vault also stores the epoch of the data key.
    """

    opens_former_epochs: ClassVar[bool] = False
    # Columns about drafts from locked pages alone, and about machines to which texts may be sent: their owner
    # is let in although one of them is damaged, and then nothing is sent.
    DISPENSABLE: ClassVar[frozenset[str]] = frozenset({"former_pair", "folded_drafts", "model_hosts"})

    owner = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="vault")
    epoch = models.PositiveIntegerField(default=1)
    public_key = models.BinaryField(max_length=32)
    private_key = SealedBytesField(
        label="accounts.vault.private_key", bound={"public_key": "accounts.vault.public_key"}
    )
    digest_key = SealedBytesField(label="accounts.vault.digest_key")
    # Both halves of each former key pair, the latest first, for drafts that were sealed to it while locked.
    # It is deleted when no browser can have sealed anything to it. See `accounts.keys.key_pairs`.
    former_pair = SealedBytesField(label="accounts.vault.former_pair", null=True)
    # The valid key slots; see `accounts.keys.slot_list`.
    ways_in = SealedJSONField(label="accounts.vault.ways_in", null=True)
    # Which epochs are of format 2, and which are finished; see `accounts.keys.vault_state`.
    state = SealedJSONField(label="accounts.vault.state", null=True)
    # The preferences that decide more than looks; see `accounts.keys.sealed_preferences`.
    preferences = SealedJSONField(label="accounts.vault.preferences", null=True)
    # Which drafts from locked pages are not to be merged (again); see `accounts.keys.browser_keys`.
    folded_drafts = SealedJSONField(label="accounts.vault.folded_drafts", null=True)
    # To which machines texts may be sent, with API keys; see `accounts.remote_hosts.services`.
    model_hosts = SealedJSONField(label="accounts.vault.model_hosts", null=True)

    def __str__(self) -> str:
        return f"Vault {self.id}"


class SlotKind(models.TextChoices):
    """The kinds of secret that open a key slot."""

    PASSWORD = "password", "Password"
    RECOVERY = "recovery", "Recovery code"


class KeySlot(models.Model):
    """A person's data key, sealed under one secret, in the format of `llamora.crypto.slots`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="slots")
    kind = models.CharField(max_length=16, choices=SlotKind.choices)
    epoch = models.PositiveIntegerField()
    salt = models.BinaryField()
    memory_kib = models.PositiveIntegerField()
    time = models.PositiveIntegerField()
    lanes = models.PositiveIntegerField()
    public_key = models.BinaryField()
    sealed_private = models.BinaryField()
    sealed_authenticator = models.BinaryField()
    box = models.BinaryField()
    mac = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "kind"],
                condition=models.Q(kind__in=["password", "recovery"]),
                name="one_password_and_one_recovery_slot",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} slot {self.id}"


class SignIn(models.Model):
    """A signed-in browser. Only a hash of the secret in its cookie is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sign_ins")
    half_hash = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    last_active = models.DateTimeField(default=timezone.now)
    is_persistent = models.BooleanField(default=False)
    # When it ends at the latest; empty for the household's limit alone.
    ends_at = models.DateTimeField(null=True)
    device = models.CharField(max_length=80, blank=True, default="")
    # The public key to which its drafts are sealed while locked; see `accounts.keys.browser_keys`.
    draft_key = models.BinaryField(null=True)

    unlock: "Unlock"

    class Meta:
        verbose_name = "signed-in browser"

    def __str__(self) -> str:
        return f"Sign-in {self.id}"


class Unlock(models.Model):
    """The data key for one unlocked browser, sealed under a key that is partly in the browser's cookie.

    The other parts are a salt and the run secret; see `llamora.crypto.session`.
    """

    sign_in = models.OneToOneField(SignIn, on_delete=models.CASCADE, primary_key=True, related_name="unlock")
    epoch = models.PositiveIntegerField()
    salt = models.BinaryField()
    wrapped_dek = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    last_active = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Unlock of {self.sign_in_id}"

    @property
    def row(self) -> UUID:
        """The id of the sign-in's database row. The argument `row` of `wrap_dek` is this id.

        The sealed data key is bound to it.
        """
        return self.sign_in_id


class BrowserKey(SealedModel):
    """The sealed key with which a browser authenticates its drafts from one unlock to the next.

    It outlives its sign-in until none of its drafts is left. See `accounts.keys.browser_keys`.
    """

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="browser_keys")
    # No foreign key: that sign-in may be gone.
    sign_in_id = models.UUIDField()
    # Of the key pair to which drafts of this browser were sealed.
    epoch = models.PositiveIntegerField()
    secret = SealedBytesField(
        label="accounts.browser_key.secret",
        bound={"sign_in_id": "accounts.browser_key.sign_in", "epoch": "accounts.browser_key.epoch"},
    )

    def __str__(self) -> str:
        return f"Browser key {self.id}"


class AccessTokenKind(models.TextChoices):
    """The kinds of access tokens, as `llamora.crypto.access_tokens.terms` names them."""

    ORDINARY = "ordinary", "While your diary is unlocked"
    AWAY = "away", "Always"
    DROP = "drop", "Only to send texts"


class AccessToken(SealedModel):
    """A stored access token: the name, the rights and the key slot of a program.

    The format of the slot is that of `llamora.crypto.access_tokens.token_slots`.
    """

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="access_tokens")
    name = SealedTextField(label="accounts.access_token.name")
    # The terms, which the slot is bound to.
    kind = models.CharField(max_length=16, choices=AccessTokenKind.choices)
    scopes = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    created_epoch = models.PositiveIntegerField()
    lifetime_days = models.PositiveIntegerField(default=0)
    writes_own_text = models.BooleanField(default=False)
    reads_untrusted = models.BooleanField(default=False)
    # The slot.
    epoch = models.PositiveIntegerField()
    public_key = models.BinaryField()
    sealed_private = models.BinaryField()
    sealed_authenticator = models.BinaryField()
    box = models.BinaryField()
    mac = models.BinaryField()
    # Empty until its owner confirms it, as after a restore; see `accounts.keys.token_slots`.
    confirmation = models.BinaryField(null=True)
    # Set once it has expired, and never reset: a clock that is set back revives nothing.
    is_expired = models.BooleanField(default=False)
    # What it was used for, in numbers.
    last_used_at = models.DateTimeField(null=True)
    last_read_on = models.DateField(null=True)
    read_days = models.PositiveIntegerField(default=0)
    read_count = models.PositiveIntegerField(default=0)

    class Meta(SealedModel.Meta):
        verbose_name = "access token"

    def __str__(self) -> str:
        return f"Access token {self.id}"


class IdempotencyKey(models.Model):
    """The idempotency key of a call that stored something, so that a repeated call stores nothing.

    Both digests are computed with the token's secret, so that a reader of the database does not learn what
    was sent.
    """

    # The first 16 bytes of the digest of what the program calls the key.
    id = models.UUIDField(primary_key=True, editable=False)
    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="idempotency_keys")
    body_digest = models.BinaryField()
    # The row that was stored.
    result_id = models.UUIDField()
    used_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Idempotency key {self.id}"


class FormerKey(SealedModel):
    """The data key of a former epoch, stored while a rotation reseals rows, then deleted.

    The format of its column is described in `accounts.keys.former_keys`.
    """

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="former_keys", db_index=False)
    epoch = models.PositiveIntegerField()
    data_key = SealedBytesField(
        label="accounts.former_key.data_key", bound={"epoch": "accounts.former_key.epoch"}
    )
    begun_at = models.DateTimeField(default=timezone.now)

    class Meta(SealedModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "epoch"], name="one_former_key_per_epoch")
        ]

    def __str__(self) -> str:
        return f"Former key of {self.owner_id}"


class Invitation(models.Model):
    """A link that lets one person register, once and within some days. Only a hash of its token is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # Empty where it was made at the terminal, or by a person who was deleted since.
    made_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="invitations")
    used_at = models.DateTimeField(null=True)
    used_by = models.OneToOneField(Person, null=True, on_delete=models.SET_NULL, related_name="came_by")

    def __str__(self) -> str:
        return f"Invitation {self.id}"
