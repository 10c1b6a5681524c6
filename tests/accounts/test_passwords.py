"""Tests of password validation, and of its running time."""

import subprocess
import sys
import time
from typing import Any

import pytest
from django.test import Client

from accounts.auth.passwords import UnacceptablePassword, check_password, get_password_strength
from tests.conftest import ROOT


@pytest.mark.parametrize(
    "password",
    [
        "a quiet lamp by the window",
        "Kaffee-Mond-Treppe-9",
        "grüne Äpfel im Schnee",
        "日本語の長い合言葉です",
        "aB3$eF6&hI9(kL1!nO4@qR7%tU0+wX2[zA5{cD8|",
    ],
)
def test_good_ones_pass(password: str) -> None:
    check_password(password, name="Olive")


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("oliveähre1", "Olive Ähre"),
        ("OLIVEÄHRE12", "Olive Ähre"),
        ("humphrey99", "Humphrey"),
        ("llamoradiary", "Olive"),
        ("password12", "Olive"),
        ("abcdefghijkl", "Olive"),
        ("1234567890", "Olive"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "Olive"),
        ("x" * 257, "Olive"),
        ("", "Olive"),
    ],
)
def test_those_soon_guessed_do_not(password: str, name: str) -> None:
    with pytest.raises(UnacceptablePassword) as refused:
        check_password(password, name=name)

    assert str(refused.value).endswith(".")
    assert not password or password not in str(refused.value)


def test_length_is_counted_in_characters_as_composed() -> None:
    decomposed = "e\u0301" * 9

    with pytest.raises(UnacceptablePassword, match="at least 10"):
        check_password(decomposed, name="x")


def test_a_long_password_is_judged_in_good_time() -> None:
    began = time.process_time()

    get_password_strength("aA1!" * 64, name="Olive")
    get_password_strength("qwertyuiop1234567890" * 12, name="Olive")
    get_password_strength("4@8({[<369&1!|70$5+%2" * 12, name="Olive")

    assert time.process_time() - began < 2


def test_the_meter_and_the_check_agree() -> None:
    for password in ["short", "password1234", "oliveolive1", "a quiet lamp by the window"]:
        try:
            check_password(password, name="Olive")
            passes = True
        except UnacceptablePassword:
            passes = False
        assert (get_password_strength(password, name="Olive").score >= 2) == passes


def test_the_meter_answers_with_a_fragment_that_does_not_repeat_the_password(db: None) -> None:
    answer = Client().post("/strength/", {"password": "a quiet lamp by the window", "name": "Olive"})

    assert answer.status_code == 200
    assert b"<meter" in answer.content
    assert b"quiet lamp" not in answer.content


def test_an_empty_meter_is_empty(db: None) -> None:
    assert Client().post("/strength/", {"password": ""}).content.strip() == b""


@pytest.mark.parametrize(
    "password", ["\x00" * 12, "\ud83d".encode("utf-16", "surrogatepass").decode("latin-1") * 9, "🦙" * 12]
)
def test_odd_characters_are_judged_and_not_stumbled_over(db: None, password: str) -> None:
    assert Client().post("/strength/", {"password": password}).status_code == 200


def test_zxcvbn_is_not_loaded_before_somebody_chooses_a_password() -> None:
    code = "import django; django.setup(); import llamora.urls, sys; print('zxcvbn' in sys.modules)"

    told: Any = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "llamora.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == "False"
