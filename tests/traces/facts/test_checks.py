"""Tests of the checks of facts that a model claims: the clause of the quote must state them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.hostile import count_calls
from traces.facts.proposals.answers import ClaimedFact, parse_answer
from traces.facts.proposals.checks import CheckedFact, check_claims, find_language
from traces.facts.proposals.second_person import address_owner

THURSDAY = datetime(2026, 3, 5, 20, tzinfo=UTC)
Claims = Sequence[tuple[str, str, str]]
# An entry, the words of it that are quoted, and what is claimed.
SAID = (
    ("I took my small dog Biggie to the weir.", "my small dog Biggie", "You have a dog called Biggie"),
    (
        "My name is John Smith, I work at Google, I have a cat",
        "My name is John Smith",
        "Your name is John Smith",
    ),
    ("My name is John Smith, I work at Google, I have a cat", "I work at Google", "You work at Google"),
    ("My name is John Smith, I work at Google, I have a cat", "I have a cat", "You have a cat"),
    (
        "I'm Jason Thompson, a software engineer at AWS, and I have a dog called Biggie.",
        "I'm Jason Thompson",
        "Your name is Jason Thompson",
    ),
    (
        "I'm Jason Thompson, a software engineer at AWS, and I have a dog called Biggie.",
        "software engineer at AWS",
        "You work as a software engineer at AWS",
    ),
    (
        "I'm Jason Thompson, a software engineer at AWS, and I have a dog called Biggie.",
        "a dog called Biggie",
        "You have a dog called Biggie",
    ),
    (
        "Jason Thompson here, software engineer at AWS, dog called Biggie.",
        "Jason Thompson here",
        "Your name is Jason Thompson",
    ),
    (
        "Jason Thompson here, software engineer at AWS, dog called Biggie.",
        "software engineer at AWS",
        "You work as a software engineer at AWS",
    ),
    (
        "Jason Thompson here, software engineer at AWS, dog called Biggie.",
        "dog called Biggie",
        "You have a dog called Biggie",
    ),
    (
        "My name is Jason Thompson and I work as a software engineer at AWS. I have a dog called Biggie.",
        "I work as a software engineer at AWS",
        "User works as a software engineer at AWS",
    ),
    (
        "My manager Sarah is very supportive. My colleague Bob helps me with React issues.",
        "My manager Sarah",
        "Your manager is Sarah",
    ),
    (
        "My manager Sarah is very supportive. My colleague Bob helps me with React issues.",
        "My colleague Bob",
        "Your colleague is Bob",
    ),
    (
        "My manager Sarah is very supportive. My colleague Bob helps me with React issues.",
        "Bob helps me with React issues",
        "Bob helps you with React issues",
    ),
    (
        "My manager Sarah is very supportive. My colleague Bob helps me with React issues.",
        "Bob helps me with React issues",
        "Bob helps user with React issues",
    ),
    (
        "I have a dentist appointment next Tuesday at 2 PM. The project deadline is March 15th.",
        "I have a dentist appointment next Tuesday at 2 PM",
        "You have a dentist appointment on 10 March 2026 at 14:00",
    ),
    (
        "I have a dentist appointment next Tuesday at 2 PM. The project deadline is March 15th.",
        "I have a dentist appointment next Tuesday at 2 PM",
        "You have a dentist appointment next Tuesday at 2 PM",
    ),
    (
        "I have a dentist appointment next Tuesday at 2 PM. The project deadline is March 15th.",
        "The project deadline is March 15th",
        "Project deadline is March 15th",
    ),
    (
        "Actually, my favorite color is green now",
        "my favorite color is green now",
        "Your favourite colour is green",
    ),
    ("I'm 28 years old.", "I'm 28 years old", "Your age is 28"),
    ("I'm 28.", "I'm 28", "You are 28 years old"),
    ("Turned 28 today!", "Turned 28 today", "You are 28 years old"),
    ("The deadline is next Friday.", "The deadline is next Friday", "Deadline is next Friday"),
    ("I have a dog named Max.", "a dog named Max", "You have a dog named Max"),
    ("My dog Max ran off.", "My dog Max", "You have a dog named Max"),
    ("I absolutely love pizza!", "I absolutely love pizza", "You love pizza"),
    ("My favourite colour is blue.", "My favourite colour is blue", "Your favourite colour is blue"),
    ("I want to learn Spanish this year.", "I want to learn Spanish", "You want to learn Spanish"),
    ("I'd like to learn Spanish.", "like to learn Spanish", "You want to learn Spanish"),
    ("I can speak three languages.", "I can speak three languages", "You speak three languages"),
    ("I speak three languages.", "I speak three languages", "User can speak three languages"),
    (
        "Water freezes at 0 degrees Celsius.",
        "Water freezes at 0 degrees Celsius",
        "Water freezes at 0 degrees Celsius",
    ),
    ("I don't like coffee, but I love tea.", "I love tea", "You love tea"),
    ("I don't like coffee, but I love tea.", "I don't like coffee", "You don't like coffee"),
    ("I like tea, coffee and juice.", "I like tea, coffee and juice", "You like coffee"),
    ("I have a cat and a dog.", "I have a cat and a dog", "You have a dog"),
    (
        "My sister Anna lives in Graz with her two children.",
        "My sister Anna lives in Graz",
        "Your sister Anna lives in Graz",
    ),
    (
        "My sister Anna lives in Graz with her two children.",
        "My sister Anna lives in Graz",
        "Your sister is Anna",
    ),
    ("Anna lives in Graz and I work at Google.", "I work at Google", "You work at Google"),
    ("Anna's birthday is on May 5.", "Anna's birthday is on May 5", "Anna's birthday is on 5 May"),
    ("We moved to Graz in May.", "We moved to Graz in May", "You moved to Graz in May"),
    ("Today I finally moved to Graz.", "I finally moved to Graz", "You moved to Graz"),
    ("I have moved to Graz.", "I have moved to Graz", "You moved to Graz"),
    ("I'm allergic to peanuts.", "I'm allergic to peanuts", "You are allergic to peanuts"),
    ("I go running every morning.", "I go running every morning", "You go running every morning"),
    ("Tom, my brother, is a nurse.", "Tom, my brother", "Your brother is Tom"),
    ("Met Sarah, my new manager, today.", "Sarah, my new manager", "Your manager is Sarah"),
    ("I bought a red Volvo.", "I bought a red Volvo", "You have a Volvo"),
    ("I have never been to Paris.", "I have never been to Paris", "You have never been to Paris"),
    ("I live with Anna in Graz.", "I live with Anna in Graz", "You live with Anna in Graz"),
    ("Anna is a teacher.", "Anna is a teacher", "Anna is a teacher"),
    ("Anna is a teacher at the school in Graz.", "Anna is a teacher", "Anna is a teacher"),
    ("I play the piano and the violin.", "I play the piano and the violin", "You play the violin"),
    ("My wife's name is Elisabeth.", "My wife's name is Elisabeth", "Your wife is called Elisabeth"),
    ("I live in Graz and work at Google.", "work at Google", "You work at Google"),
    (
        "My name is Jason Thompson and I'm a software engineer at AWS.",
        "I'm a software engineer at AWS",
        "You work as a software engineer at AWS",
    ),
)
NOT_SAID = (
    ("Anna hated mushrooms but loved olives.", "loved olives", "You loved olives"),
    ("Anna came; went to Graz.", "went to Graz", "You went to Graz"),
    ("Anna lives in Graz and works at Google.", "works at Google", "You work at Google"),
    ("My brother lives in Graz and works at Google.", "works at Google", "You work at Google"),
    ("I think my sister moved to Graz.", "moved to Graz", "You moved to Graz"),
    ("I saw a Tesla.", "I saw a Tesla", "You have a Tesla"),
    ("I don't like coffee.", "like coffee", "You like coffee"),
    ("My manager met Sarah.", "My manager met Sarah", "Your manager is Sarah"),
    ("My manager and Sarah came.", "My manager and Sarah", "Your manager is Sarah"),
    ("I helped Anna move to Graz.", "I helped Anna move to Graz", "You moved to Graz"),
    ("Anna lives in Graz and I work at Google.", "lives in Graz", "You live in Graz"),
    ("Anna lives in Graz.", "Anna lives in Graz", "You live in Graz"),
    ("Anna bought a Tesla.", "Anna bought a Tesla", "You bought a Tesla"),
    ("Anna bought a Tesla.", "bought a Tesla", "You have a Tesla"),
    ("My brother is allergic to nuts.", "allergic to nuts", "You are allergic to nuts"),
    ("My brother bought a Tesla.", "bought a Tesla", "You bought a Tesla"),
    ("My neighbour's Tesla was stolen.", "My neighbour's Tesla", "You have a Tesla"),
    ("I met a teacher.", "I met a teacher", "You are a teacher"),
    ("I have a teacher.", "I have a teacher", "You are a teacher"),
    ("I met Anna.", "I met Anna", "Your name is Anna"),
    ("I'm with Anna.", "I'm with Anna", "Your name is Anna"),
    ("I called Anna.", "I called Anna", "You are called Anna"),
    ("I walked past Google.", "I walked past Google", "You work at Google"),
    ("I have 28 books.", "I have 28 books", "You are 28 years old"),
    ("I have 3 dogs and 2 cats.", "I have 3 dogs and 2 cats", "You have 2 dogs"),
    ("I took my dog Biggie out.", "my dog Biggie", "You have a cat called Biggie"),
    ("If I get the job, we move to Graz.", "we move to Graz", "You move to Graz"),
    ("We move to Graz, if I get the job.", "We move to Graz", "You move to Graz"),
    ("Do I work at Google, or not?", "I work at Google", "You work at Google"),
    ("I wish I had a dog.", "I had a dog", "You have a dog"),
    ("I dreamt that I lived in Graz.", "I lived in Graz", "You live in Graz"),
    ("I have seen a cat and a dog.", "I have seen a cat and a dog", "You have a dog"),
    ("I love coffee.", "I love coffee", "You hate coffee"),
    ("I hate coffee.", "I hate coffee", "You love coffee"),
    ("Anna told Bob she lives in Graz.", "she lives in Graz", "Bob lives in Graz"),
    ("I moved my sofa to Graz.", "I moved my sofa to Graz", "You moved to Graz"),
    ("I know he lives in Graz.", "he lives in Graz", "You live in Graz"),
    ("I left Google.", "I left Google", "You work at Google"),
    ("I live with Anna and Bob lives in Graz.", "I live with Anna and Bob lives in Graz", "You live in Graz"),
    ("I like tea, Anna likes coffee.", "Anna likes coffee", "You like coffee"),
    ("Anna and my dog Max met.", "my dog Max", "Anna has a dog called Max"),
    ("My father never smoked.", "smoked", "You smoke"),
    ("My boss wants a dog.", "a dog", "You have a dog"),
    ("I was at Anna's wedding.", "Anna's wedding", "You are married to Anna"),
    ("I'm dating Anna.", "I'm dating Anna", "You are married to Anna"),
    ("Anna's sister Eva lives in Graz.", "lives in Graz", "Anna lives in Graz"),
    ("I almost bought a house.", "bought a house", "You have a house"),
    ("I used to live in Graz.", "live in Graz", "You live in Graz"),
    ("I no longer work at Google.", "work at Google", "You work at Google"),
    ("I stopped smoking.", "smoking", "You smoke"),
    ("Nobody told me that Anna is a nurse.", "Anna is a nurse", "You are a nurse"),
    ("Tom asked whether I speak French.", "I speak French", "You speak French"),
    ("He said: I live in Graz.", "I live in Graz", "You live in Graz"),
)
SAID_IN_GERMAN = (
    (
        "Ich habe meinen Hund Biggie in den Park mitgenommen.",
        "meinen Hund Biggie",
        "Du hast einen Hund namens Biggie",
    ),
    (
        "Ich heiße Jason Thompson und arbeite als Ingenieur bei AWS.",
        "Ich heiße Jason Thompson",
        "Du heißt Jason Thompson",
    ),
    (
        "Ich heiße Jason Thompson und arbeite als Ingenieur bei AWS.",
        "arbeite als Ingenieur bei AWS",
        "Du arbeitest als Ingenieur bei AWS",
    ),
    ("Ich wohne in Graz.", "Ich wohne in Graz", "Du wohnst in Graz"),
    ("Seit März wohne ich in Graz.", "wohne ich in Graz", "Du wohnst in Graz"),
    (
        "Meine Schwester Anna wohnt in Wien.",
        "Meine Schwester Anna wohnt in Wien",
        "Deine Schwester Anna wohnt in Wien",
    ),
    ("Meine Schwester Anna wohnt in Wien.", "Meine Schwester Anna", "Deine Schwester heißt Anna"),
    ("Ich mag keinen Kaffee.", "Ich mag keinen Kaffee", "Du magst keinen Kaffee"),
    ("Ich habe zwei Katzen.", "Ich habe zwei Katzen", "Du hast zwei Katzen"),
    ("Meine Chefin ist Sarah.", "Meine Chefin ist Sarah", "Deine Chefin ist Sarah"),
    (
        "Nächsten Dienstag habe ich einen Termin beim Zahnarzt.",
        "Nächsten Dienstag habe ich einen Termin beim Zahnarzt",
        "Du hast am 10. März 2026 einen Termin beim Zahnarzt",
    ),
    ("Ich bin 28 Jahre alt.", "Ich bin 28 Jahre alt", "Du bist 28 Jahre alt"),
    ("Ich trinke jeden Morgen Kaffee.", "Ich trinke jeden Morgen Kaffee", "Du trinkst jeden Morgen Kaffee"),
    ("Anna spielt Klavier.", "Anna spielt Klavier", "Anna spielt Klavier"),
    ("Ich bin gegen Nüsse allergisch.", "Ich bin gegen Nüsse allergisch", "Du bist gegen Nüsse allergisch"),
)
NOT_SAID_IN_GERMAN = (
    ("Ich mag keinen Kaffee.", "mag keinen Kaffee", "Du magst Kaffee"),
    ("Anna wohnt in Graz.", "wohnt in Graz", "Du wohnst in Graz"),
    ("Meine Schwester wohnt in Graz.", "wohnt in Graz", "Du wohnst in Graz"),
    ("Ich sah einen Hund.", "Ich sah einen Hund", "Du hast einen Hund"),
    ("Ich habe eine Chefin.", "Ich habe eine Chefin", "Du bist Chefin"),
    ("Wenn ich den Job bekomme, ziehen wir nach Graz.", "ziehen wir nach Graz", "Du ziehst nach Graz"),
    ("Der Hund meines Nachbarn heißt Max.", "Hund", "Du hast einen Hund namens Max"),
    ("Ich traf Anna.", "Ich traf Anna", "Du heißt Anna"),
    ("Meine Chefin traf Sarah.", "Meine Chefin traf Sarah", "Deine Chefin ist Sarah"),
    ("Ich wohne nicht mehr in Graz.", "wohne nicht mehr in Graz", "Du wohnst in Graz"),
    ("Ich habe Annas Hund gefüttert.", "Annas Hund", "Du hast einen Hund"),
    ("Er sagte: „Ich wohne in Graz.“", "Ich wohne in Graz", "Du wohnst in Graz"),
    ("Arbeite ich bei Google?", "Arbeite ich bei Google", "Du arbeitest bei Google"),
)
TRAITS = (
    ("My manager Sarah is very supportive.", "Sarah is very supportive", "Sarah is supportive"),
    ("I feel anxious about tomorrow.", "I feel anxious about tomorrow", "You feel anxious about tomorrow"),
    ("Tom is lazy.", "Tom is lazy", "Tom is lazy"),
    ("I was sad all day.", "I was sad all day", "You were sad all day"),
    ("Ich bin oft traurig.", "Ich bin oft traurig", "Du bist oft traurig"),
)


def check(text: str, quote: str, fact: str, kind: str = "people") -> list[CheckedFact]:
    return check_claims([ClaimedFact(fact=fact, quote=quote, kind=kind)], text=text, anchor=THURSDAY)


@pytest.mark.parametrize("claims", [SAID, SAID_IN_GERMAN], ids=["English", "German"])
def test_what_its_clause_says_is_proposed(claims: Claims) -> None:
    assert [claim for claim in claims if not check(*claim)] == []


@pytest.mark.parametrize("claims", [NOT_SAID, NOT_SAID_IN_GERMAN], ids=["English", "German"])
def test_what_has_the_same_words_and_says_something_else_is_not(claims: Claims) -> None:
    assert [claim for claim in claims if check(*claim)] == []


def test_no_feeling_trait_or_judgement_is_proposed() -> None:
    assert [claim for claim in TRAITS if check(*claim)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Up early, and walked to the weir.",
        "Walked to the weir with Anna.",
        "11th. I walked to the weir. Rain in the evening.",
        "She lives in Graz.",
        "Dr. Tom and Snow.",
        "Sir William's and there had a pasty.",
        "Anna lives in Graz " + "and in Wien " * 9 + "as well.",
    ],
)
def test_a_line_of_the_entry_that_is_no_sentence_of_somebody_is_no_fact(text: str) -> None:
    assert check(text, text, text) == []


def test_a_quote_that_is_not_in_the_entry_proves_nothing() -> None:
    assert check("I have a dog.", "I have a dog called Max", "You have a dog called Max") == []


def test_a_quote_that_says_too_little_is_shown_with_its_clause() -> None:
    (found,) = check("Rain again. I don't like coffee, as ever.", "like coffee", "You don't like coffee")

    assert found.quote.startswith("I don't like coffee")


@pytest.mark.parametrize("words", ["I like Zorp tea ", "I like tea, and Zorp "])
def test_a_sentence_without_an_end_is_not_compared_word_by_word(words: str) -> None:
    claim = ClaimedFact(fact="You like Zorp", quote=words.strip(" ,"))

    def count(length: int) -> int:
        text = words * (length // len(words))
        return count_calls(lambda: check_claims([claim], text=text, anchor=THURSDAY))

    assert count(16_000) < 10 * count(900)


def test_a_relative_day_becomes_that_day_and_stands_beside_the_fact() -> None:
    text = "I have a dentist appointment next Tuesday at 2 PM."

    (found,) = check(text, text, "You have a dentist appointment next Tuesday at 2 PM")

    assert found.text.text == "You have a dentist appointment on 10 March 2026 at 14:00"
    assert found.when["raw"] == "next Tuesday at 2 PM"
    assert found.when["start"].startswith("2026-03-10T14:00")


def test_a_day_of_every_year_stays_one() -> None:
    (found,) = check(
        "Anna's birthday is on May 5.", "Anna's birthday is on May 5", "Anna's birthday is on May 5"
    )

    assert found.text.text == "Anna's birthday is on May 5"


def test_a_text_in_a_language_without_tables_is_not_read() -> None:
    assert find_language("Je n'aime pas le café et je n'ai pas de chien.") is None
    assert check("Je n'ai pas de chien, et mon chat est mort.", "ai pas de chien", "You ai de chien") == []


def test_the_kind_follows_what_is_said() -> None:
    (found,) = check("I live in Graz.", "I live in Graz", "You live in Graz", kind="habits")

    assert found.text.kind == "places"


ADDRESSED = (
    ("en", "User has a dog", "You have a dog"),
    ("en", "User's name is Jason", "Your name is Jason"),
    ("en", "The user also studies physics", "You also study physics"),
    ("en", "The writer goes running and watches birds with me", "You go running and watches birds with you"),
    ("en", "I'm 28 and my sister is 30", "You are 28 and your sister is 30"),
    ("en", "I was born in Graz", "You were born in Graz"),
    ("en", "We moved to the US", "You moved to the US"),
    ("en", "My dog is called Max", "Your dog is called Max"),
    ("en", "Bob helps user with React", "Bob helps you with React"),
    ("en", "Anna lives in Graz", "Anna lives in Graz"),
    ("de", "Ich arbeite bei AWS", "Du arbeitest bei AWS"),
    ("de", "Ich heiße Anna", "Du heißt Anna"),
    ("de", "Der Nutzer wohnt in Graz", "Du wohnst in Graz"),
    ("de", "Ich habe meinen Hund", "Du hast deinen Hund"),
    ("de", "Meine Schwester heißt Eva", "Deine Schwester heißt Eva"),
    ("de", "Ich ging schwimmen", "Ich ging schwimmen"),
)


def test_a_sentence_of_the_owner_is_in_the_second_person() -> None:
    found = [(language, text, address_owner(text, language=language)) for language, text, _ in ADDRESSED]

    assert found == list(ADDRESSED)


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ('{"facts": [{"fact": "A", "quote": "b", "kind": "c"}]}', ["A"]),
        ('Sure:\n```json\n{"facts": [{"fact": "A", "quote": "b"}]}\n```', ["A"]),
        ('{"facts": [{"fact": "A", "quote": "b"}, {"fact": "B", "quo', ["A"]),
        ('[{"fact": "A", "quote": "b"}]', ["A"]),
        ('{"facts": [{"fact": 1, "quote": "b"}, {"quote": "b"}, "x", null]}', []),
        ('{"facts": []}', []),
        ("[]", []),
        ("I see no facts here.", None),
        ('{"emoji": "x"}', None),
        ("", None),
        ("[" * 9_999, None),
        ('{"facts":' * 999, None),
    ],
    ids=range(12),
)
def test_an_answer_is_read_as_far_as_it_goes(answer: str, facts: list[str] | None) -> None:
    found = parse_answer(answer)

    assert (None if found is None else [claim.fact for claim in found]) == facts
