"""The settings in force, each with value and source, and names that look like settings but have no effect.

Values here never contain secrets, and URLs are shown without user, password and query.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from django.conf import settings

from accounts.sessions import run_secret

PREFIX: Final = "LLAMORA_"
SECRET_IS_SET, SECRET_IS_MISSING = "set", "not set"
# What others read: the client of programs, and the tests.
_NAMES_OF_OTHERS: Final = frozenset({"LLAMORA_TOKEN_FILE", "LLAMORA_URL"})
_PREFIX_OF_TESTS: Final = "LLAMORA_TEST_"
# How alike a name and a setting are, from 0 to 1: after the same prefix, or in all, as `LAMORA_PORT`.
_ALIKE_AFTER_PREFIX, _ALIKE_IN_ALL = 0.6, 0.85

SettingSource = Literal["default", ".env", "environment"]


@dataclass(frozen=True, kw_only=True)
class SettingInForce:
    """A setting with its value and source; the value of a secret is "set" or "not set"."""

    name: str
    value: str
    source: SettingSource
    is_secret: bool
    # The environment has it too, and decides.
    is_ignored_in_file: bool


@dataclass(frozen=True, kw_only=True)
class IgnoredName:
    """A name that looks like a setting but has no effect, with a sentence that says what to do."""

    name: str
    nearest: str
    sentence: str


def list_settings() -> list[SettingInForce]:
    """Return every setting, in the order of the settings file."""
    return [
        SettingInForce(
            name=name,
            value=_get_value(name, default),
            source=_find_source(name),
            is_secret=name in settings.SECRET_SETTINGS,
            is_ignored_in_file=name in settings.NAMES_IN_FILE and name not in settings.NAMES_FROM_FILE,
        )
        for name, default in settings.READ_SETTINGS.items()
    ]


def list_ignored_names() -> list[IgnoredName]:
    """Return names in the environment and in `.env` that look like settings but are none, sorted."""
    found = [_describe_unknown(name) for name in sorted(_find_unknown_names())]
    for name, count in sorted(Counter(settings.NAMES_IN_FILE).items()):
        if count > 1 and name in settings.READ_SETTINGS:
            why = f"{name} stands {count} times in {settings.SETTINGS_FILE}; only the last counts."
            found.append(IgnoredName(name=name, nearest=name, sentence=why))
    return found


def strip_credentials(value: str, *, mark: str = "") -> str:
    """Return a URL with user, password and query replaced by a mark; other values unchanged.

    Everything up to the last `@` counts as user and password, because a password may contain a slash.
    """
    scheme, separator, rest = value.partition("://")
    if not separator:
        return value
    rest, has_fragment, _ = rest.partition("#")
    rest, has_query, _ = rest.partition("?")
    _, has_user, public = rest.rpartition("@")
    shown = f"{scheme}://{mark}@{public}" if has_user and mark else f"{scheme}://{public}"
    return f"{shown}?{mark}" if (has_query or has_fragment) and mark else shown


def _get_value(name: str, default: str) -> str:
    if name in settings.SECRET_SETTINGS:
        is_set = os.environ.get(name) or (name == "LLAMORA_SECRET_KEY" and _has_secret_key_file())
        return SECRET_IS_SET if is_set else SECRET_IS_MISSING
    match name:
        case "LLAMORA_DATA_DIR" | "LLAMORA_BACKUP_DIR" | "LLAMORA_MODEL_FILE" | "LLAMORA_SEARCH_MODEL_PATH":
            # Absolute, as used: what was set may begin in the folder in which a command was started.
            return str(getattr(settings, name.removeprefix(PREFIX)))
        case "LLAMORA_RUNTIME_DIR":
            return str(run_secret.get_runtime_folder() or "")
    value = os.environ.get(name, default)
    if default in ("True", "False"):
        value = value.lower()
    return strip_credentials(value, mark=f"({SECRET_IS_SET})")


def _has_secret_key_file() -> bool:
    try:
        return settings.SECRET_KEY_FILE.stat().st_size > 0
    except OSError:
        return False


def _find_source(name: str) -> SettingSource:
    if name not in os.environ:
        return "default"
    return ".env" if name in settings.NAMES_FROM_FILE else "environment"


def _find_unknown_names() -> Iterator[str]:
    known = settings.READ_SETTINGS
    for name in {*os.environ, *settings.NAMES_IN_FILE}:
        if name in known or name in _NAMES_OF_OTHERS or name.startswith(_PREFIX_OF_TESTS):
            continue
        # `.env` is for us, so that a name there may be meant for us without our prefix. The environment has
        # names of many programs.
        if name.upper().startswith("LLAMORA") or (
            name in settings.NAMES_IN_FILE and (PREFIX + name.upper() in known or _find_nearest(name))
        ):
            yield name


def _find_nearest(name: str) -> str:
    """Return the setting with the most similar name, or "" if none is similar."""
    known, upper = list(settings.READ_SETTINGS), name.upper()
    if upper.startswith(PREFIX):
        rest = [one.removeprefix(PREFIX) for one in known]
        nearest = get_close_matches(upper.removeprefix(PREFIX), rest, n=1, cutoff=_ALIKE_AFTER_PREFIX)
        return PREFIX + nearest[0] if nearest else ""
    if PREFIX + upper in known:
        return PREFIX + upper
    return next(iter(get_close_matches(upper, known, n=1, cutoff=_ALIKE_IN_ALL)), "")


def _describe_unknown(name: str) -> IgnoredName:
    nearest = _find_nearest(name)
    advice = f"did you mean {nearest}?" if nearest else "`manage.py config show` lists all settings."
    return IgnoredName(name=name, nearest=nearest, sentence=f"{name} is not a setting; {advice}")
