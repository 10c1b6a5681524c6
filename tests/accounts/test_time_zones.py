"""Tests of a person's time zone, including one that the machine does not know."""

from typing import Any

import pytest

from accounts.preferences.time_zones import load_time_zone


def test_a_known_zone_is_loaded() -> None:
    assert load_time_zone("Pacific/Auckland").key == "Pacific/Auckland"


@pytest.mark.parametrize("name", ["", "Atlantis/Old_Town", "../../etc/passwd", "x\0y"])
def test_any_other_name_gives_the_households_zone(settings: Any, name: str) -> None:
    settings.HOUSEHOLD_TIME_ZONE = "Europe/Lisbon"
    load_time_zone.cache_clear()

    assert load_time_zone(name).key == "Europe/Lisbon"

    load_time_zone.cache_clear()
