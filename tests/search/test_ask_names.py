"""Tests of the names in a question, and that nothing answers a question about a name not in the diary."""

from datetime import date

import pytest

from search.ask.question.names import list_names
from tests.people import Resident
from tests.search.test_ask_retrieval import find, list_days


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("When did I fly to New York with Anna?", [("new", "york"), ("anna",)]),
        ("Did Mr. Wood ever try to borrow money?", [("mr", "wood")]),
        ("What did Anna, Ben and I do in Zoë's garden?", [("anna",), ("ben",), ("zoe",)]),
        ("¿Cuándo fue la última vez que vi a Jorge?", [("jorge",)]),
        ("When did I see the sea?", []),
        ("when did i see anna?", []),
        ("When Did I Last See Anna?", []),
        ("WHEN DID I SEE ANNA?", []),
        ("Wann war ich mit dem Fahrrad bei der Oma?", []),
    ],
)
def test_a_name_is_what_has_a_capital_where_capitals_tell(
    question: str, names: list[tuple[str, ...]]
) -> None:
    assert list_names(question) == names


def test_nothing_answers_a_question_about_a_name_that_was_never_written(owner: Resident) -> None:
    owner.write("Rowed on the lake with Ben.", day=date(2026, 2, 1))
    for day in range(2, 9):
        owner.write("The new bridge of the Duke of York is open.", day=date(2026, 2, day))

    assert list_days(find(owner, "Who rowed on the lake with Ben?"))[0] == "2026-02-01"
    assert list_days(find(owner, "Who rowed on the lake with Gwendolyn?")) == []
    assert list_days(find(owner, "When was I last in New York?")) == []
    assert list_days(find(owner, "When was I last at the bridge of York?")) != []


def test_a_rare_part_of_a_name_tells_who_is_meant(owner: Resident) -> None:
    owner.write("Rowed on the lake with Capt. Mootham.", day=date(2026, 2, 1))
    owner.write("A captain of another boat shouted.", day=date(2026, 2, 2))

    assert list_days(find(owner, "Who rowed on the lake with Captain Mootham?"))[0] == "2026-02-01"


def test_a_text_has_one_of_the_names_in_a_question(owner: Resident) -> None:
    owner.write("The train broke down on the bridge, and it rained.", day=date(2026, 2, 1))
    owner.write("Manchester is far.", day=date(2026, 2, 3))

    assert "2026-02-01" in list_days(find(owner, "When did the train break down on the bridge?"))
    assert list_days(find(owner, "When did the train break down on the bridge to Manchester?")) == []
