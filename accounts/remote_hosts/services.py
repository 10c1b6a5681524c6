"""Consents of a person to send their texts to a remote host, and their own API keys for it.

Both are sealed in the vault's column `model_hosts`. So someone who can write to the database cannot forge a
consent, and the keys are stored nowhere else:

    {"models.example": {"agreed_on": "2026-11-29", "origin": "https://models.example:443", "key": "..."}}

If there is a key, it is sent only to its `origin`: not to another port, and never unencrypted instead of over
https. Withdrawing a consent also deletes the key. All functions need the person's keyring in force. A program
cannot send texts to a remote host, because its keyring lacks the realm `vault`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from accounts.models import Vault
from llamora.crypto import EnvelopeError, Realm, VaultLocked, current_keyring, current_realm_keyring
from llamora.database import write_transaction
from llamora.inference.registry import registry
from llamora.inference.remote_gate import ConsentMissing, ProgramRefused

MAX_KEY: Final = 500
_SENTENCES: Final = {
    "other_host": (
        "The model is on another machine than this page said, so nothing was changed. Read which one it is "
        "now, then decide again."
    ),
    "not_agreed": "Allow your texts to be sent there first. Then save the key.",
    "bad_key": (
        f"An API key is one line of up to {MAX_KEY} ASCII letters, digits and symbols. Copy it again from "
        "the page of its service."
    ),
}


class HostRefused(Exception):  # noqa: N818 - states what happened
    """Raised for an invalid consent or API key; its text is a sentence for people."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(_SENTENCES[code])


@dataclass(frozen=True, kw_only=True)
class AgreedHost:
    """A host to which a person has agreed to send their texts, and whether they saved an API key for it."""

    name: str
    agreed_on: date | None
    has_key: bool = False


def list_hosts(owner: UUID) -> list[AgreedHost]:
    """Return the hosts to which a person has agreed, sorted by name; raise VaultLocked without a keyring."""
    return [
        AgreedHost(name=name, agreed_on=_parse_date(facts.get("agreed_on")), has_key=bool(facts.get("key")))
        for name, facts in sorted(_load(owner).items())
    ]


def find_refusal(owner: UUID, host: str) -> str:
    """Return the code of the reason why a person's texts may not be sent to a host, or "" if they may."""
    try:
        load_host_key(owner, host, "")
    except (ConsentMissing, ProgramRefused) as refusal:
        return refusal.code
    return ""


def load_host_key(owner: UUID, host: str, origin: str) -> str:
    """Return a person's own API key for a host, or "" if they have none.

    `origin` is the scheme, host and port of the server; a key that was saved for another one is not returned.
    Raise ConsentMissing or ProgramRefused if the person's texts may not be sent there.
    """
    if not current_realm_keyring().has_realm(Realm.VAULT):
        raise ProgramRefused
    facts = _load(owner).get(host)
    if facts is None:
        raise ConsentMissing
    key = facts.get("key")
    return key if isinstance(key, str) and facts.get("origin") == origin else ""


def agree(owner: UUID, host: str, *, on: date) -> None:
    """Save the consent to send a person's texts to a host."""
    with write_transaction():
        hosts = _load(owner)
        _save(owner, {**hosts, host: {**hosts.get(host, {}), "agreed_on": on.isoformat()}})


def withdraw(owner: UUID, host: str) -> None:
    """Withdraw a consent, delete the API key for that host, and stop jobs that run there."""
    with write_transaction():
        hosts = _load(owner)
        _save(owner, {name: facts for name, facts in hosts.items() if name != host})
    # After the commit: a job that asks from now on is refused, and one that asked before is stopped.
    registry.interrupt_at_host(current_keyring().key_id, host, reason="consent_withdrawn")


def delete_all(owner: UUID) -> list[AgreedHost]:
    """Withdraw every consent of a person and delete their API keys; return the hosts.

    Running jobs are not stopped.
    """
    with write_transaction():
        found = list_hosts(owner)
        _save(owner, {})
    return found


def save_key(owner: UUID, host: str, *, origin: str, key: str) -> None:
    """Save or replace a person's API key for a host.

    `origin` is the scheme, host and port of the server. Raise HostRefused for an invalid key, or if the
    person has not agreed to this host.
    """
    key = key.strip()
    if not (key and len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise HostRefused("bad_key")
    with write_transaction():
        hosts = _load(owner)
        if host not in hosts:
            raise HostRefused("not_agreed")
        _save(owner, {**hosts, host: {**hosts[host], "origin": origin, "key": key}})


def delete_key(owner: UUID, host: str) -> None:
    """Delete a person's own API key for a host; the consent remains."""
    with write_transaction():
        hosts = _load(owner)
        if host in hosts:
            _save(owner, {**hosts, host: {"agreed_on": hosts[host].get("agreed_on")}})


def _load(owner: UUID) -> dict[str, dict[str, Any]]:
    """Return the column's value; an empty dict if it does not open, so that nothing is sent."""
    keyring = current_keyring()
    if keyring.owner != owner:
        raise VaultLocked
    try:
        found = Vault.objects.get(owner_id=owner).model_hosts
    except EnvelopeError:
        found = None
    hosts = found if isinstance(found, dict) else {}
    return {name: facts for name, facts in hosts.items() if isinstance(facts, dict)}


def _save(owner: UUID, hosts: Mapping[str, Mapping[str, Any]]) -> None:
    vault = Vault.objects.get(owner_id=owner)
    vault.model_hosts = dict(hosts)
    vault.save(update_fields=["model_hosts"])


def _parse_date(text: object) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
