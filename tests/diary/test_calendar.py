"""Tests of the year and month pages, the jump form and the random day."""

from datetime import UTC, date, datetime

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import Person
from diary.models import Entry, Opening
from tests.page import read
from tests.people import Resident

PEPYS = date(1660, 1, 11)


def test_a_year_marks_its_written_days_and_counts_them(owner: Resident, housemate: Resident) -> None:
    for day in (date(2021, 2, 28), date(2021, 2, 28), date(2021, 12, 31)):
        owner.write("Here", day=day)
    owner.write("Another year", day=date(2020, 12, 31))
    housemate.write("Not mine", day=date(2021, 6, 1))
    gone = owner.write("Gone", day=date(2021, 7, 1))
    owner.post(f"/entries/{gone.id}/delete/")

    page = owner.get("/years/2021/").content.decode()

    assert "Written on 2 days, 3 entries." in page
    assert page.count(", written") == 2
    assert page.count("<table") == 12
    assert 'href="/d/2021-02-28/"' in page
    assert "streak" not in page


@pytest.mark.parametrize(("week_start", "first"), [(0, "Monday"), (5, "Saturday"), (6, "Sunday")])
def test_the_weeks_of_a_year_begin_on_the_persons_first_day(
    owner: Resident, week_start: int, first: str
) -> None:
    Person.objects.filter(id=owner.id).update(week_start=week_start)

    page = read(owner.get("/years/2021/"))

    assert page.first('th[scope="col"]').text == first


def test_years_lead_to_the_nearest_written_ones_and_no_further(owner: Resident) -> None:
    owner.write("Up betimes", day=PEPYS)
    owner.write("Later", day=date(1999, 5, 5))
    this_year = owner.today.year

    first, second, last = (owner.get(f"/years/{year}/").content.decode() for year in (1660, 1999, this_year))

    assert "data-earlier" not in first
    assert 'href="/years/1999/" data-later' in first
    assert 'href="/years/1660/" data-earlier' in second
    assert f'href="/years/{this_year}/" data-later' in second
    assert "data-later" not in last


def test_the_keys_of_a_year_lead_to_the_very_next_within_the_bounds(owner: Resident) -> None:
    owner.write("Up betimes", day=PEPYS)
    owner.write("Later", day=date(1999, 5, 5))

    first, second, last = (
        owner.get(f"/years/{year}/").content.decode() for year in (1660, 1999, owner.today.year)
    )

    assert "data-previous-year" not in first
    assert 'data-next-year="/years/1661/"' in first
    assert 'data-previous-year="/years/1998/" data-next-year="/years/2000/"' in second
    assert "data-next-year" not in last


def test_the_calendar_leads_no_further_back_than_the_first_entry(owner: Resident) -> None:
    owner.write("Up betimes", day=PEPYS)
    owner.write("In spring", day=date(1660, 4, 2))

    first, later = (owner.get(f"/calendar/1660-0{month}/").content.decode() for month in (1, 3))

    assert "data-earlier" not in first
    assert "data-later" in first
    assert "/calendar/1660-02/" in later


def test_the_first_month_of_somebody_new_leads_nowhere_back(owner: Resident) -> None:
    page = owner.get("/").content.decode()

    assert "data-earlier" not in page


@pytest.mark.parametrize("year", ["0001", "1582", "1660", "2024", "9999"])
def test_any_year_opens(owner: Resident, year: str) -> None:
    page = owner.get(f"/years/{year}/")

    assert page.status_code == 200
    assert "Nothing was written in this year." in page.content.decode()


@pytest.mark.parametrize("path", ["/years/0000/", "/years/20/", "/years/20260/", "/years/x/"])
def test_an_impossible_year_is_a_404(owner: Resident, path: str) -> None:
    assert owner.get(path).status_code == 404


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("year=1660&month=1", "/calendar/1660-01/"),
        ("year=987&month=12", "/calendar/0987-12/"),
        ("year=2024&month=", "/years/2024/"),
        ("year=%202024%20", "/years/2024/"),
    ],
)
def test_one_jumps_to_a_month_or_a_year(owner: Resident, asked: str, there: str) -> None:
    assert owner.get(f"/calendar/?{asked}")["Location"] == there


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "year=0&month=1",
        "year=2024&month=13",
        "year=2024&month=99999999999999999999",
        "year=x",
        "year=٢٠٢٤",
        "year=99999",
    ],
)
def test_a_jump_to_nowhere_is_a_404(owner: Resident, asked: str) -> None:
    assert owner.get(f"/calendar/?{asked}").status_code == 404


def test_a_month_leads_to_its_year(owner: Resident) -> None:
    assert 'href="/years/1660/"' in owner.get("/calendar/1660-01/").content.decode()


@pytest.mark.parametrize(
    ("zone", "month"),
    [("Pacific/Kiritimati", "2031-06"), ("UTC", "2031-05"), ("Pacific/Pago_Pago", "2031-05")],
)
def test_the_calendar_opens_at_the_month_it_is_where_one_lives(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, zone: str, month: str
) -> None:
    owner.person.time_zone = zone
    monkeypatch.setattr(timezone, "now", lambda: datetime(2031, 5, 31, 20, tzinfo=UTC))

    rail = render_to_string("fragments/rail.html", {"person": owner.person, "owner_id": owner.id})

    assert f'aria-keyshortcuts="C" href="/calendar/{month}/"' in rail


def test_a_random_day_is_one_of_the_written_ones(owner: Resident, housemate: Resident) -> None:
    written = [date(2020, 1, 1), date(2021, 2, 2), date(2022, 3, 3)]
    for day in written:
        owner.write("Here", day=day)
        owner.write("And here", day=day)
    housemate.write("Not mine", day=date(2010, 1, 1))

    found = {owner.get("/random/")["Location"] for _ in range(60)}

    assert found == {f"/d/{day}/" for day in written}


def test_a_random_day_of_an_empty_diary_is_today(owner: Resident) -> None:
    assert owner.get("/random/")["Location"] == "/"


def test_looking_around_changes_nothing(owner: Resident) -> None:
    owner.write("Here", day=PEPYS)
    before = list(Entry.objects.values())

    for path in (
        "/years/1660/",
        "/random/",
        "/on-this-day/01-11/",
        "/calendar/?year=1660",
        "/bin/",
        "/keys/",
    ):
        assert owner.get(path).status_code in (200, 302)

    assert list(Entry.objects.values()) == before


def test_a_year_counts_in_its_index_alone(owner: Resident) -> None:
    from tests.diary.test_archive import archive, list_queries

    archive(owner, 300)

    rows = [
        sql for sql in list_queries(owner, f"/years/{owner.today.year}/") if '"diary_entry"."text"' in sql
    ]

    assert rows == []


def test_days_that_hold_only_an_opening_are_told_apart(owner: Resident, housemate: Resident) -> None:
    day = date(2021, 2, 1)
    written, opened, dismissed, of_another = (day.replace(day=number) for number in (3, 5, 7, 9))
    owner.write("Here", day=written)
    _create_openings(owner, written, opened)
    _create_openings(owner, dismissed, is_dismissed=True)
    _create_openings(housemate, of_another)

    for path in ("/calendar/2021-02/", "/years/2021/"):
        page = owner.get(path).content.decode()

        assert page.count(", only an opening") == page.count('class="cell has-opening"') == 1
        assert f'class="cell has-opening" href="/d/{opened}/"' in page
        assert f'class="cell has-entries" href="/d/{written}/"' in page


def _create_openings(member: Resident, *opened: date, is_dismissed: bool = False) -> None:
    with member.unlocked():
        for day in opened:
            text = "" if is_dismissed else "You begin."
            Opening(owner_id=member.id, day=day, text=text, is_dismissed=is_dismissed).save(force_insert=True)


def test_dates_are_in_the_words_of_the_person(owner: Resident, housemate: Resident) -> None:
    Person.objects.filter(id=owner.id).update(language="fr", clock=12)
    noon = datetime(2021, 2, 3, 13, 5, tzinfo=UTC)
    for member in (owner, housemate):
        member.write("Ici", day=date(2021, 2, 3), at=noon)

    def seen(member: Resident, path: str) -> str:
        return str(member.get(path).content.decode())

    day, month, year = (
        seen(owner, path) for path in ("/d/2021-02-03/", "/calendar/2021-02/", "/years/2021/")
    )
    assert '<span class="weekday">Mercredi</span>3 février 2021</h1>' in day
    assert "<time>1:05 pm</time>" in day
    assert '<h2 id="calendar-title">Février ' in month
    assert '<option value="8" lang="fr">Août</option>' in month
    assert '<th scope="col">dimanche</th>' in year
    # What pages say besides, and the pages of others, stay as they were.
    assert "Nothing was written on this day" not in day
    assert ">Save</button>" in day
    assert '<span class="weekday">Wednesday</span>3 February 2021</h1>' in seen(housemate, "/d/2021-02-03/")
    assert "<time>13:05</time>" in seen(housemate, "/d/2021-02-03/")


def remove_foreign_language(page: str, *, but: str) -> str:
    """Return a page's markup without elements in another language."""
    return read(page).one("body").without(f'[lang="{but}"]').html


@pytest.mark.parametrize("path", ["/years/2021/", "/on-this-day/03-05/", "/on-this-day/10-05/"])
def test_words_of_the_persons_language_say_which_it_is(owner: Resident, path: str) -> None:
    Person.objects.filter(id=owner.id).update(language="de")
    owner.write("Here", day=date(2021, 3, 5))

    page = owner.get(path).content.decode()

    assert "März" in page or "Oktober" in page
    for word in ("März", "Mittwoch", "Freitag", "Oktober", "Dezember"):
        assert word not in remove_foreign_language(page, but="de")
