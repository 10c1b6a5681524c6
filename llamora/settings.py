"""Settings of Llamora and of Django, read once from the environment and `.env`.

The README documents each setting of ours with its default; `tests/test_docs.py` compares the two. A value
that makes no sense stops the start with a sentence. No secret has a default: until `up` has written one, a
random one is used that lives as long as the process.
"""

import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.prefix = "LLAMORA_"
environ.Env.read_env(BASE_DIR / ".env")


def _choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = str(env.str(name, default=default))
    if value not in allowed:
        raise ImproperlyConfigured(f"LLAMORA_{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def _at_least(name: str, default: int, least: int) -> int:
    try:
        value = int(env.int(name, default=default))
    except ValueError:
        raise ImproperlyConfigured(f"LLAMORA_{name} must be a whole number.") from None
    if value < least:
        raise ImproperlyConfigured(f"LLAMORA_{name} is {value}; it must be at least {least}.")
    return value


# --- Folders -------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
RUNTIME_DIR = env.str("RUNTIME_DIR", default="")
SECRET_KEY_FILE = DATA_DIR / "secrets" / "secret_key"


def _secret_key() -> str:
    if value := env.str("SECRET_KEY", default=""):
        return str(value)
    try:
        return SECRET_KEY_FILE.read_text().strip()
    except FileNotFoundError:
        return secrets.token_urlsafe(50)


# --- The server -------------------------------------------------------------------------------
SECRET_KEY = _secret_key()
DEBUG = False
PORT = _at_least("PORT", 8765, 1)
HOST = env.str("HOST", default="127.0.0.1")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "llamora.localhost", *env.list("HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = env.list("TRUSTED_ORIGINS", default=[])
REGISTRATION = _choice("REGISTRATION", "closed", ("closed", "open"))
PAGE_THREADS = _at_least("PAGE_THREADS", 2, 1)
# Sends passwords unencrypted: only for a network that is encrypted itself.
ALLOW_PLAIN_HTTP = env.bool("ALLOW_PLAIN_HTTP", default=False)
LOG_LEVEL = _choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))

# --- Keys and sessions ------------------------------------------------------------------------
# Argon2id's second recommended choice, RFC 9106 section 4. Raised costs apply at the next sign-in.
ARGON2_MEMORY_KIB = _at_least("ARGON2_MEMORY_KIB", 65536, 65536)
ARGON2_TIME = _at_least("ARGON2_TIME", 3, 3)
ARGON2_LANES = _at_least("ARGON2_LANES", 4, 1)
IDLE_MINUTES = _at_least("IDLE_MINUTES", 8 * 60, 1)
SIGN_IN_DAYS = _at_least("SIGN_IN_DAYS", 30, 1)
PASSWORD_HASHERS: list[str] = []
AUTHENTICATION_BACKENDS: list[str] = []
AUTH_USER_MODEL = "accounts.Person"
LOGIN_URL = "/sign-in/"

# --- The diary --------------------------------------------------------------------------------
MAX_TEXT = 100_000  # code points in one entry
HOUSEHOLD_TIME_ZONE = env.str("TIME_ZONE", default="UTC")

# --- Backups ----------------------------------------------------------------------------------
BACKUP_DIR = Path(env.str("BACKUP_DIR", default="") or DATA_DIR / "backups").expanduser().resolve()
BACKUP_DAILY = env.bool("BACKUP_DAILY", default=True)
BACKUP_KEEP_DAYS = _at_least("BACKUP_KEEP_DAYS", 7, 1)
BACKUP_KEEP_WEEKS = _at_least("BACKUP_KEEP_WEEKS", 4, 0)

# --- The model --------------------------------------------------------------------------------
MODEL_URL = env.str("MODEL_URL", default="")
MODEL_NAME = env.str("MODEL_NAME", default="")
MODEL_API_KEY = env.str("MODEL_API_KEY", default="")
MODEL_FILE = env.str("MODEL_FILE", default="")
MODEL_CONTEXT = _at_least("MODEL_CONTEXT", 8192, 512)
MODEL_ALLOW_REMOTE = env.bool("MODEL_ALLOW_REMOTE", default=False)
MODEL_PARALLEL = _at_least("MODEL_PARALLEL", 2, 1)
MODEL_REPLY_TOKENS = _at_least("MODEL_REPLY_TOKENS", 700, 16)
MODEL_REPLY_SECONDS = _at_least("MODEL_REPLY_SECONDS", 900, 10)
MODEL_SILENCE_SECONDS = _at_least("MODEL_SILENCE_SECONDS", 120, 1)

# --- Search -----------------------------------------------------------------------------------
SEARCH_MODEL = env.str("SEARCH_MODEL", default="BAAI/bge-small-en-v1.5")
SEARCH_MODEL_PATH = env.str("SEARCH_MODEL_PATH", default="")
SEARCH_THREADS = _at_least("SEARCH_THREADS", 1, 1)
SEARCH_MEMORY_MB = _at_least("SEARCH_MEMORY_MB", 1024, 64)

# --- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "search",
    "traces",
    "diary",
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
    "accounts.middleware.SecureCookiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
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
        "ENGINE": "django.db.backends.sqlite3",
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
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

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
    "formatters": {
        "line": {
            "()": "accounts.http.redacted_logging.RedactedFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
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
