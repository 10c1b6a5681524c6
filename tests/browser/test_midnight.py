"""Tests of a page that is open at midnight."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab
from tests.browser.fixture_classes import NewDiary

# Eleven hours behind and fourteen ahead: what is today in one is over in the other.
LATE, EARLY = "Pacific/Pago_Pago", "Pacific/Kiritimati"


def before_midnight(new_diary: NewDiary) -> DiaryTab:
    """Today's page of a new person, with a clock that the test controls."""
    diary = new_diary(timezone_id="Europe/Paris")
    diary.page.clock.install()
    return diary.reload()


def advance_to_tomorrow(diary: DiaryTab) -> None:
    diary.page.clock.fast_forward("24:00:00")


def test_an_idle_page_opens_the_new_day_by_itself(new_diary: NewDiary) -> None:
    diary = before_midnight(new_diary)

    with diary.page.expect_navigation(url=diary.house.url("/")):
        advance_to_tomorrow(diary)


@pytest.mark.slow
def test_a_page_that_is_written_on_stays_and_keeps_the_text_on_its_day(new_diary: NewDiary) -> None:
    diary = before_midnight(new_diary)
    began = diary.page.locator("body").get_attribute("data-day")
    diary.box.fill("It is almost twelve")

    advance_to_tomorrow(diary)
    expect(diary.page.get_by_text("A new day has begun.")).to_be_visible()
    expect(diary.box).to_have_value("It is almost twelve")
    diary.save_button.click()

    expect(diary.entries).to_have_count(1)
    diary.open(f"/d/{began}/")
    expect(diary.entries).to_contain_text("It is almost twelve")


def test_after_midnight_an_entry_still_goes_on_the_day_it_was_begun(new_diary: NewDiary) -> None:
    late = new_diary()
    house, who = late.house, late.member
    house.set_time_zone(who, LATE)
    late.open("/")
    began = str(late.page.locator("body").get_attribute("data-day"))
    assert began == str(datetime.now(ZoneInfo(LATE)).date())
    late.box.fill("Begun before midnight")

    house.set_time_zone(who, EARLY)
    late.save_button.click()

    expect(late.entries).to_have_count(1)
    late.open("/")
    expect(late.entries).to_have_count(0)
    late.open(f"/d/{began}/")
    expect(late.entries).to_contain_text("Begun before midnight")
