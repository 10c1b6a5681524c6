"""Tests that an invalid value of any setting stops every command with one sentence."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from llamora.settings import _read_settings_file
from tests.server import ROOT, build_environment
from tests.test_docs import list_settings

FOLDER, FILE = "must be the path of a folder", "must be the path of a file"
NUMBER, BOOLEAN, LINE = "must be a whole number from", "must be true or false", "must be one line"
ADDRESS = "must begin with http://"

# Of each setting, values that make no sense, and what the sentence says.
WRONG: dict[str, tuple[list[str], str]] = {
    "ALLOW_PLAIN_HTTP": (["maybe", ""], BOOLEAN),
    "ARGON2_LANES": (["0", "17", "four"], NUMBER),
    "ARGON2_MEMORY_KIB": (["1024", "1048577", "99999999999"], NUMBER),
    "ARGON2_TIME": (["1", "13", "3.5"], NUMBER),
    "BACKUP_DAILY": (["maybe", "2"], BOOLEAN),
    "BACKUP_DIR": (["/etc/passwd", "/etc/passwd/backups", "~nobody-of-this-name/b"], FOLDER),
    "BACKUP_KEEP_DAYS": (["0", "a week"], NUMBER),
    "BACKUP_KEEP_WEEKS": (["-1", ""], NUMBER),
    "DATA_DIR": (["/etc/passwd", "/da\nta"], FOLDER),
    "HOST": (["http://127.0.0.1", "", "a b"], "must be a host name or an IP address"),
    "HOSTS": (["https://diary.home", "diary.home/day", "a b"], "must be host names"),
    "IDLE_MINUTES": (["0", "1e3", "9999999999"], NUMBER),
    "LOG_FORMAT": (["JSON", "logfmt", ""], "must be one of: text, json"),
    "LOG_LEVEL": (["debug", "loud"], "must be one of: DEBUG"),
    "MODEL_ALLOW_REMOTE": (["perhaps"], BOOLEAN),
    "MODEL_API_KEY": (["key\nHost: elsewhere", "schlüssel"], "must be 1 or more ASCII letters"),
    "MODEL_CONTEXT": (["1", "8k"], NUMBER),
    "MODEL_FILE": (["/etc", "/etc/passwd/model.gguf"], FILE),
    "MODEL_FORMAT": (["OpenAI", "grpc", ""], "must be one of: auto, openai, anthropic, ollama"),
    "MODEL_GPU_LAYERS": (["-2", "all"], NUMBER),
    "MODEL_HUB": (["http://hub.example", "hub.example", "ftp://hub.example"], "it must begin with http"),
    "MODEL_NAME": (["two\nlines"], LINE),
    "MODEL_PARALLEL": (["0"], NUMBER),
    "MODEL_REPLY_SECONDS": (["0", "15 min"], NUMBER),
    "MODEL_REPLY_TOKENS": (["1"], NUMBER),
    "MODEL_SAMPLING": (["warm", '{"temperature": 3}', '{"n": 2}', '{"a\\nb": 1}'], "can't be used."),
    "MODEL_SILENCE_SECONDS": (["0"], NUMBER),
    "MODEL_THREADS": (["-1", "two"], NUMBER),
    "MODEL_UNLOAD_AFTER": (["soon", "5 m", "-2", "1h30m"], "must be a time such as"),
    "MODEL_URL": (["127.0.0.1:8080", "ftp://a", "http://", "http://a:port", "http://[::1"], ADDRESS),
    "PAGE_THREADS": (["0", "many"], NUMBER),
    "PORT": (["abc", "0", "65536", "-1"], NUMBER),
    "REGISTRATION": (["yes", "Open"], "must be one of: closed, open"),
    "RESERVE_MIB": (["-1", "16 MiB", "4097"], NUMBER),
    "RUNTIME_DIR": (["/etc/passwd"], FOLDER),
    "SEARCH_MEMORY_MB": (["1", "1 GB"], NUMBER),
    "SEARCH_MODEL": (["two\nlines"], LINE),
    "SEARCH_MODEL_PATH": (["/etc/passwd"], FOLDER),
    "SEARCH_THREADS": (["0"], NUMBER),
    "SECRET_KEY": (["change-me", "x" * 49, "ü" * 60], "must be 50 or more ASCII letters"),
    "SIGN_IN_DAYS": (["0", "forever"], NUMBER),
    "TIME_ZONE": (["Europe/Nowhere", "", "../etc/passwd", "CET+1", "Europe"], "must be the name of a"),
    "API_ORIGINS": (["pages.home", "https://a.home/", "https://a.home,b.home"], "must be origins"),
    "TRUSTED_ORIGINS": (["diary.home", "https://a.home/", "https://a.home,b.home"], "must be origins"),
    "TRUSTED_PROXIES": (["proxy.home", "10.8.0.1/24", "0.0.0.0/0", "::/0", "::1,*"], "must be addresses"),
}  # fmt: skip
RIGHT = {
    "ALLOW_PLAIN_HTTP": "Yes",
    "BACKUP_DAILY": "off",
    "DATA_DIR": "~/a diary that is not there yet",
    "HOST": "[::1]",
    "HOSTS": "diary.home,192.168.1.4,[fd00::4],.home",
    "MODEL_FILE": "/not/there/yet.gguf",
    "MODEL_FORMAT": "anthropic",
    "MODEL_HUB": "http://127.0.0.1:8000",
    "MODEL_SAMPLING": '{"temperature": 0.8, "stop": ["###"], "chat_template_kwargs": {"thinking": false}}',
    "MODEL_UNLOAD_AFTER": "-1",
    "MODEL_URL": "https://user:word@models.home:8443/v1",
    "TIME_ZONE": "America/Argentina/Ushuaia",
    "TRUSTED_PROXIES": "127.0.0.1, ::1,10.8.0.0/24,fd00::/64",
    "API_ORIGINS": "https://pages.home,http://localhost:3000",
    "TRUSTED_ORIGINS": "https://diary.home,https://[fd00::4]:8443",
}
CASES = [(name, value, said) for name, (values, said) in WRONG.items() for value in values]


def read_settings() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "llamora" / "settings.py"))


def test_every_setting_has_a_row() -> None:
    assert {f"LLAMORA_{name}" for name in WRONG} == set(list_settings())


@pytest.mark.parametrize(("name", "value", "said"), CASES)
def test_a_wrong_value_is_refused_in_one_sentence(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"LLAMORA_{name}", value)

    with pytest.raises(ImproperlyConfigured) as refusal:
        read_settings()

    sentence = str(refusal.value)
    assert sentence.startswith(f"LLAMORA_{name} ")
    assert said in sentence
    assert "\n" not in sentence
    assert name not in ("SECRET_KEY", "MODEL_API_KEY") or value not in sentence


@pytest.mark.parametrize(("name", "value"), RIGHT.items())
def test_a_right_value_is_read(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LLAMORA_{name}", value)

    read_settings()


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [("up", "PORT", "abc"), ("up", "BACKUP_DAILY", "maybe"), ("doctor", "TIME_ZONE", "Mars")],
)
def test_a_command_ends_with_that_sentence_and_no_traceback(
    tmp_path: Path, command: str, name: str, value: str
) -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=build_environment(tmp_path, {f"LLAMORA_{name}": value}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Llamora can't start: LLAMORA_{name} is '{value}'; it must be ")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


# --- The file .env ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"LLAMORA_PORT=8766\nLLAMORA_BACKUP_DIR = /backups\n", "Line 2 of .* is not a setting"),
        (b"LLAMORA_MODEL_NAME=\xff\n", "is not UTF-8"),
        (None, "can't be read: Is a directory"),
    ],
)
def test_a_file_of_settings_is_not_passed_over(
    tmp_path: Path, content: bytes | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.delenv("LLAMORA_PORT", raising=False)

    with pytest.raises(ImproperlyConfigured, match=sentence) as refusal:
        _read_settings_file(path)

    assert "/backups" not in str(refusal.value)
    assert "LLAMORA_PORT" not in os.environ


def test_a_file_of_settings_may_have_comments_and_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xef\xbb\xbfLLAMORA_PORT=8766\n\n# one\n  # two\nexport LLAMORA_HOST='::1'\n")
    for name in ("LLAMORA_PORT", "LLAMORA_HOST"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    _read_settings_file(path)
    _read_settings_file(tmp_path / "absent")

    assert (os.environ["LLAMORA_PORT"], os.environ["LLAMORA_HOST"]) == ("8766", "::1")
