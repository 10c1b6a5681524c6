"""Django system checks of the installation; `manage.py check --database default` runs them all.

llamora.E001  the secret key is a default or too short
llamora.E002  other users of this machine can read the data folder or a secret
llamora.E003  a sealed column has no fence trigger
llamora.E004  SQLite's pragmas differ from the settings, so committed writes could be lost
llamora.W001  people without a vault (they cannot sign in)
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Person, Vault
from llamora.fields import fence
from llamora.ops import data_folder, startup
from llamora.pluralize import pluralize


@register(Tags.security)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """Report a secret key that could be guessed."""
    weakness = data_folder.find_key_weakness(settings.SECRET_KEY)
    return [Error(weakness, id="llamora.E001")] if weakness else []


@register(Tags.security)
def check_permissions(**_: Any) -> list[CheckMessage]:
    """Report a data folder, database or secret that other users can read."""
    problems = data_folder.find_unsafe_permissions(settings.DATA_DIR, key_file=settings.SECRET_KEY_FILE)
    return [Error(problem, id="llamora.E002") for problem in problems]


@register(Tags.database)
def check_fences(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report sealed columns without a fence trigger: they would accept envelopes of a former epoch."""
    found: list[CheckMessage] = []
    for alias in _filter_migrated_databases(databases):
        if _has_pending_migrations(alias):
            # `migrate` runs this check too, and it is what makes the triggers.
            continue
        for name in fence.missing_triggers(connections[alias], vault_table=Vault._meta.db_table):
            # Without its checks, this one among them, `migrate` creates the triggers.
            hint = "Run: manage.py migrate --skip-checks"
            found.append(Error(f"The trigger {name} is missing or changed.", hint=hint, id="llamora.E003"))
    return found


@register(Tags.database)
def check_pragmas(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report a database that could lose a committed write."""
    return (
        [Error(problem, id="llamora.E004") for problem in startup.find_wrong_pragmas()] if databases else []
    )


@register(Tags.database)
def check_people_have_vaults(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report people without a vault."""
    found: list[CheckMessage] = []
    for alias in _filter_migrated_databases(databases):
        if count := Person.objects.using(alias).filter(vault__isnull=True).count():
            people = pluralize(count, "person has", "people have")
            found.append(checks.Warning(f"{people} no key and can't sign in.", id="llamora.W001"))
    return found


def _has_pending_migrations(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _filter_migrated_databases(databases: Sequence[str] | None) -> list[str]:
    """Return the given databases that have the tables of people and vaults; others have nothing to check."""
    tables = {Person._meta.db_table, Vault._meta.db_table}
    return [a for a in databases or () if tables <= set(connections[a].introspection.table_names())]
