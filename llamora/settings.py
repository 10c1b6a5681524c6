"""Settings of Llamora and of Django, read once from the environment and `.env`.

The README documents each setting with its default; `tests/test_docs.py` compares the two. An invalid value
stops every command with a sentence; `tests/test_settings.py` tests this for each setting. No secret has a
default: until `up` has created one, each process uses a random one.
"""

import io
import os
import re
import secrets
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from llamora.llm.formats.wire_format import AUTO
from llamora.llm.formats.wire_format import NAMES as WIRE_FORMATS
from llamora.llm.requests.sampling import InvalidSampling, parse_sampling

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.prefix = "LLAMORA_"

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[?[0-9A-Fa-f:.]+(%\w+)?\]?")
_DURATION = re.compile(r"-1|[0-9]{1,9}(?:ms|s|m|h)")
_LINE = re.compile(r"\s*(?:#.*)?|(?:export )?([A-Za-z_0-9]+)=.*")

# For `config show`: the default of each setting as a text, and which are secret; the names in `.env`, as
# often as they stand there, and those that the environment did not have already.
READ_SETTINGS: dict[str, str] = {}
SECRET_SETTINGS: set[str] = set()
SETTINGS_FILE = BASE_DIR / ".env"
NAMES_IN_FILE: list[str] = []
NAMES_FROM_FILE: set[str] = set()


def _read_settings_file(path: Path) -> None:
    """Add the settings of a file to the environment; refuse a file or a line that can't be read.

    If its settings were ignored, a new household could be created in another folder.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path} is not UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} can't be read: {error.strerror}. Run this as the user to whom it belongs."
        ) from None
    names = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not (found := _LINE.fullmatch(line)):
            # It may hold a secret.
            raise ImproperlyConfigured(
                f"Line {number} of {path} is not a setting. Write each as LLAMORA_PORT=8765, without spaces "
                "around the sign."
            )
        if found[1]:
            names.append(found[1])
    NAMES_IN_FILE.extend(names)
    NAMES_FROM_FILE.update(name for name in names if name not in os.environ)
    environ.Env.read_env(io.StringIO(text))


_read_settings_file(SETTINGS_FILE)


def _read(name: str, default: str) -> str:
    """Return the text of a setting."""
    READ_SETTINGS[f"LLAMORA_{name}"] = default
    return str(env.str(name, default=default))


def _read_list(name: str) -> list[str]:
    """Return the parts of a comma-separated setting."""
    READ_SETTINGS[f"LLAMORA_{name}"] = ""
    return [value for value in env.list(name, default=[]) if value]


def _refuse(name: str, value: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"LLAMORA_{name} is {value!r}; it must be {wanted}.")


def _choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = _read(name, default)
    if value not in allowed:
        raise _refuse(name, value, f"one of: {', '.join(allowed)}")
    return value


def _number(name: str, default: int, least: int, most: int) -> int:
    value = _read(name, str(default))
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise _refuse(name, value, f"a whole number from {least} to {most}")
    return number


def _boolean(name: str, default: bool) -> bool:
    value = _read(name, str(default))
    if value.lower() not in _YES + _NO:
        raise _refuse(name, value, "true or false")
    return value.lower() in _YES


def _text(name: str, default: str) -> str:
    value = _read(name, default)
    if not value.isprintable():
        raise _refuse(name, value, "one line without control characters")
    return value


def _secret(name: str, *, least: int) -> str:
    """Return a secret, or ""; the error for an invalid one does not repeat it."""
    SECRET_SETTINGS.add(f"LLAMORA_{name}")
    value, words = _read(name, ""), name.lower().replace("_", " ")
    if value and not (len(value) >= least and value.isascii() and value.isprintable()):
        raise ImproperlyConfigured(
            f"LLAMORA_{name} is not a valid {words}; it must be {least} or more ASCII letters, digits and "
            "symbols."
        )
    return value


def _sampling(name: str) -> dict[str, Any]:
    value = _read(name, "")
    try:
        return parse_sampling(value) if value else {}
    except InvalidSampling as reason:
        raise ImproperlyConfigured(f"LLAMORA_{name} can't be used. {reason}") from None


def _duration(name: str) -> str:
    """Return a duration in the notation of Ollama, such as 10m, or ""."""
    value = _read(name, "")
    if value and not _DURATION.fullmatch(value):
        raise _refuse(name, value, "a time such as 10m, 1h or 30s, or -1 for ever")
    return value


def _path(name: str, default: str, *, is_file: bool = False) -> str:
    """Return an absolute path, or ""; the file or folder need not exist yet."""
    value = _read(name, default)
    if not value:
        return value
    try:
        path = Path(value).expanduser().resolve()
        fits = value.isprintable() and (not path.exists() or path.is_file() is is_file)
        fits = fits and not any(parent.is_file() for parent in path.parents)
    except PermissionError:
        # Somebody else's; the sentence about its owner comes with its first use.
        fits = value.isprintable()
    except (OSError, RuntimeError, ValueError):
        fits = False
    if not fits:
        raise _refuse(name, value, "the path of a file" if is_file else "the path of a folder")
    return str(path)


def _parses(value: str, check: Callable[[str], object]) -> bool:
    try:
        return bool(check(value))
    except (ValueError, KeyError, OSError):
        return False


def _is_url(value: str) -> bool:
    parts = urlsplit(value.strip())
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0


def _is_origin(value: str) -> bool:
    parts = urlsplit(value)
    return _is_url(value) and value == f"{parts.scheme}://{parts.netloc}" and "@" not in value


def _url(name: str, default: str = "") -> str:
    value = _read(name, default)
    if value and not _parses(value, _is_url):
        # It may hold a password.
        raise ImproperlyConfigured(
            f"LLAMORA_{name} is not a valid address; it must begin with http:// or https://."
        )
    return value


def _safe_url(name: str, default: str) -> str:
    """Return an address with https or on this machine, so that nobody on the way can change its answers."""
    value = _url(name, default) or default
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ImproperlyConfigured(
            f"LLAMORA_{name} is not a safe address; it must begin with https://, or be on this machine."
        )
    return value


def _host(name: str, default: str) -> str:
    value = _read(name, default)
    if not _HOST.fullmatch(value):
        raise _refuse(name, value, "a host name or an IP address, such as 127.0.0.1")
    return value


def _hosts(name: str) -> list[str]:
    values = _read_list(name)
    for value in values:
        if value != "*" and not _HOST.fullmatch(value):
            raise _refuse(name, value, "host names separated by commas, such as diary.home,192.168.1.4")
    return values


def _origins(name: str) -> list[str]:
    values = _read_list(name)
    for value in values:
        if not _parses(value, _is_origin):
            raise _refuse(name, value, "origins separated by commas, such as https://diary.home")
    return values


def _networks(name: str) -> list[IPv4Network | IPv6Network]:
    values = [value.strip() for value in _read_list(name)]
    try:
        networks = [ip_network(value) for value in values]
    except ValueError:
        networks = []
    # A network of everybody would let anybody choose their address.
    if len(networks) != len(values) or not all(network.prefixlen for network in networks):
        wanted = "addresses or networks with commas between, such as 127.0.0.1,10.8.0.0/24"
        raise _refuse(name, ",".join(values), wanted)
    return networks


def _time_zone(name: str, default: str) -> str:
    value = _read(name, default)
    if not _parses(value, ZoneInfo):
        raise _refuse(name, value, "the name of a time zone, such as Europe/Vienna")
    return value


# --- Folders -------------------------------------------------------------------------
DATA_DIR = Path(_path("DATA_DIR", str(BASE_DIR / "data")) or BASE_DIR / "data")
RUNTIME_DIR = _path("RUNTIME_DIR", "")
SECRET_KEY_FILE = DATA_DIR / "secrets" / "secret_key"


def _secret_key() -> str:
    if value := _secret("SECRET_KEY", least=50):
        return value
    try:
        stored = SECRET_KEY_FILE.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        stored = ""
    except OSError as error:
        raise ImproperlyConfigured(
            f"{SECRET_KEY_FILE} can't be read: {error.strerror}. Run this as the user to whom it belongs."
        ) from None
    # `up` writes it into a file that is missing or empty.
    return stored or secrets.token_urlsafe(50)


# --- The server -------------------------------------------------------------------------------
SECRET_KEY = _secret_key()
DEBUG = False
PORT = _number("PORT", 8765, 1, 65_535)
HOST = _host("HOST", "127.0.0.1")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "llamora.localhost", *_hosts("HOSTS")]
CSRF_TRUSTED_ORIGINS = _origins("TRUSTED_ORIGINS")
# Of pages elsewhere whose scripts may read what the HTTP API answers.
API_ORIGINS = _origins("API_ORIGINS")
TRUSTED_PROXIES = _networks("TRUSTED_PROXIES")
REGISTRATION = _choice("REGISTRATION", "closed", ("closed", "open"))
PAGE_THREADS = _number("PAGE_THREADS", 2, 1, 64)
# Sends passwords unencrypted: only for a network that is encrypted itself.
ALLOW_PLAIN_HTTP = _boolean("ALLOW_PLAIN_HTTP", False)
LOG_LEVEL = _choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = _choice("LOG_FORMAT", "text", ("text", "json"))

# --- Keys and sessions ------------------------------------------------------------------------
# Argon2id's second recommended choice, RFC 9106 section 4. Raised costs apply at the next sign-in. A slot
# may cost CEILING of `llamora.crypto.kdf`, or this if it is more, up to its HIGHEST.
ARGON2_MEMORY_KIB = _number("ARGON2_MEMORY_KIB", 65536, 65536, 1_048_576)
ARGON2_TIME = _number("ARGON2_TIME", 3, 3, 12)
ARGON2_LANES = _number("ARGON2_LANES", 4, 1, 16)
IDLE_MINUTES = _number("IDLE_MINUTES", 8 * 60, 1, 525_600)
SIGN_IN_DAYS = _number("SIGN_IN_DAYS", 30, 1, 3650)
PASSWORD_HASHERS: list[str] = []
AUTHENTICATION_BACKENDS: list[str] = []
AUTH_USER_MODEL = "accounts.Person"
LOGIN_URL = "/sign-in/"

# --- The diary --------------------------------------------------------------------------------
MAX_TEXT = 100_000  # code points in one entry
HOUSEHOLD_TIME_ZONE = _time_zone("TIME_ZONE", "UTC")

# --- The disk ---------------------------------------------------------------------------------
RESERVE_MIB = _number("RESERVE_MIB", 16, 0, 4096)

# --- Backups ----------------------------------------------------------------------------------
BACKUP_DIR = Path(_path("BACKUP_DIR", "") or DATA_DIR / "backups")
BACKUP_DAILY = _boolean("BACKUP_DAILY", True)
BACKUP_KEEP_DAYS = _number("BACKUP_KEEP_DAYS", 7, 1, 3650)
BACKUP_KEEP_WEEKS = _number("BACKUP_KEEP_WEEKS", 4, 0, 520)

# --- The model --------------------------------------------------------------------------------
MODEL_URL = _url("MODEL_URL")
MODEL_NAME = _text("MODEL_NAME", "")
MODEL_API_KEY = _secret("MODEL_API_KEY", least=1)
MODEL_FORMAT = _choice("MODEL_FORMAT", AUTO, WIRE_FORMATS)
MODEL_UNLOAD_AFTER = _duration("MODEL_UNLOAD_AFTER")
MODEL_FILE = _path("MODEL_FILE", "", is_file=True)
MODEL_CONTEXT = _number("MODEL_CONTEXT", 8192, 512, 16_777_216)
MODEL_THREADS = _number("MODEL_THREADS", 0, 0, 1024)
MODEL_GPU_LAYERS = _number("MODEL_GPU_LAYERS", -1, -1, 9999)
MODEL_HUB = _safe_url("MODEL_HUB", "https://huggingface.co")
MODEL_ALLOW_REMOTE = _boolean("MODEL_ALLOW_REMOTE", False)
MODEL_PARALLEL = _number("MODEL_PARALLEL", 2, 1, 256)
MODEL_REPLY_TOKENS = _number("MODEL_REPLY_TOKENS", 700, 16, 1_000_000)
MODEL_REPLY_SECONDS = _number("MODEL_REPLY_SECONDS", 900, 10, 86_400)
MODEL_SAMPLING = _sampling("MODEL_SAMPLING")
MODEL_SILENCE_SECONDS = _number("MODEL_SILENCE_SECONDS", 120, 1, 86_400)

# --- Search -----------------------------------------------------------------------------------
SEARCH_MODEL = _text("SEARCH_MODEL", "")
SEARCH_MODEL_PATH = _path("SEARCH_MODEL_PATH", "")
SEARCH_THREADS = _number("SEARCH_THREADS", 1, 1, 64)
SEARCH_MEMORY_MB = _number("SEARCH_MEMORY_MB", 1024, 64, 1_048_576)

# --- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "search",
    "traces",
    "diary",
    "llamora.clock.apps.ClockConfig",
    "llamora.ops.apps.OpsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "accounts.middleware.SecurityHeadersMiddleware",
    "llamora.api.middleware.ProgramMiddleware",
    "accounts.middleware.SecureCookiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.middleware.ContentPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.VaultMiddleware",
    "accounts.middleware.RefusalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "llamora.urls"
ASGI_APPLICATION = "llamora.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "accounts.templating.environment.build_environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.household",
                "diary.inbox.context_processors.inbox",
            ],
        },
    },
    {
        # The admin's own, those of forms, and ours that extend the admin's.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "django"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.household",
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": "llamora.database.sqlite",
        "NAME": DATA_DIR / "llamora.sqlite3",
        "CONN_MAX_AGE": None,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384"
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MESSAGE_STORAGE = "accounts.sessions.cookies.MessageCookieStorage"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# Bodies are never spooled to temporary files: `llamora.ops.server.body_limits` bounds them in memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# --- Cookies: names of our own, because cookies ignore ports -----------------------------------
SESSION_COOKIE = "llamora_session"
CSRF_COOKIE_NAME = "llamora_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "accounts.http.error_views.csrf_failure"
LANGUAGE_COOKIE_NAME = "llamora_language"

# --- Time and language -----------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = True

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "llamora.ops.static_files.HashedStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = True
FILE_UPLOAD_PERMISSIONS = 0o600

# --- Security headers ------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True

# --- Logs: paths without queries, ids, counts; never content -----------------------------------------
DEFAULT_EXCEPTION_REPORTER = "accounts.http.redacted_logging.RedactedExceptionReporter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "accounts.http.redacted_logging.build_formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "llamora": {"level": LOG_LEVEL},
        "accounts": {"level": LOG_LEVEL},
        "diary": {"level": LOG_LEVEL},
        # Django's own handler mails errors with every local variable in them.
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # A missing page is logged with its address, which may be anything that somebody typed.
        "django.request": {"level": "ERROR"},
        "search": {"level": LOG_LEVEL},
        "traces": {"level": LOG_LEVEL},
    },
}

SILENCED_SYSTEM_CHECKS = [
    # The admin's checks ask for Django's session and authentication middleware; `accounts.middleware`
    # replaces them, with sealed sessions.
    "admin.E408",
    "admin.E410",
    # A household is served over plain http on its own machine, and `up` refuses plain http beyond it: there
    # is nothing to redirect to, and HSTS would bind every other service on this host's name.
    "security.W004",
    "security.W008",
    # `accounts.middleware.SecureCookiesMiddleware` marks every cookie whenever the request came over https.
    "security.W016",
]
