"""Two tabs that write the same thing: both texts are shown, neither is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import Complaints, NewDiary
from tests.browser.diary import Diary


def two_drafts(diary: Diary, new_diary: NewDiary) -> Diary:
    """A second tab whose draft comes too late, and shows so."""
    late = new_diary(beside=diary)
    diary.box.fill("From the kitchen")
    diary.wait_for_draft()
    late.box.fill("From the desk")
    expect(late.page.locator("[data-conflict]")).to_be_visible()
    return late


def test_two_drafts_are_both_shown_and_can_be_joined(
    diary: Diary, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("409")
    late = two_drafts(diary, new_diary)
    expect(late.page.locator("[data-conflict] [data-other]")).to_have_text("From the kitchen")
    expect(late.box).to_have_value("From the desk")

    late.button("Add it below").click()

    expect(late.box).to_have_value("From the desk\n\nFrom the kitchen")
    late.wait_for_draft()
    late.button("Keep").click()
    expect(late.entries).to_have_count(1)
    late.reload()
    expect(late.box).to_have_value("")


@pytest.mark.slow
def test_keeping_in_one_tab_loses_nothing_of_the_other(
    diary: Diary, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("409")
    late = two_drafts(diary, new_diary)

    diary.button("Keep").click()
    expect(diary.entry("From the kitchen")).to_be_visible()
    late.button("Leave mine").click()
    late.button("Keep").click()

    expect(late.entry("From the desk")).to_be_visible()
    late.reload()
    expect(late.entries).to_have_count(2)


def test_an_entry_changed_in_two_tabs_shows_both_texts(
    diary: Diary, new_diary: NewDiary, complaints: Complaints
) -> None:
    complaints.expect("409")
    diary.keep("Soup for supper.")
    late = new_diary(beside=diary)
    late.button("Edit").click()
    late.page.locator("form.edit textarea").fill("Fish for supper.")
    diary.button("Edit").click()
    diary.page.locator("form.edit textarea").fill("Bread for supper.")
    diary.button("Save").click()
    expect(diary.entries).to_contain_text("Bread for supper.")

    late.button("Save").click()

    expect(late.page.get_by_label("Yours", exact=True)).to_have_value("Fish for supper.")
    expect(late.page.get_by_role("group", name="What is kept now")).to_have_text("Bread for supper.")
    late.button("Add it below").click()
    late.button("Save mine").click()
    expect(late.entries).to_contain_text("Fish for supper.")
    expect(late.entries).to_contain_text("Bread for supper.")
