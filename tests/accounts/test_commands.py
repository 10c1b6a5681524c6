"""Tests that Django's commands for creating users name our own commands instead."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Person
from tests.people import Resident


def test_a_superuser_is_not_made_but_the_set_up_link_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="set-up link"):
        call_command("createsuperuser")

    assert not Person.objects.exists()


def test_with_a_administrator_in_the_house_they_are_named(administrator: Resident) -> None:
    with pytest.raises(CommandError, match="Administration"):
        call_command("createsuperuser")


def test_a_password_is_not_set_for_somebody_else(administrator: Resident) -> None:
    with pytest.raises(CommandError, match="/recover/"):
        call_command("changepassword", "Karin")
