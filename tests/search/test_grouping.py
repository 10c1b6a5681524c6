"""Tests of grouping hits: folded by day, entries before replies, each text once."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from search.fusion import MEANING, PHRASE, WORDS, RankedHit
from search.index.types import TextOutline
from search.results.grouping import HitGroup, group_hits, list_shown

MONDAY, TUESDAY, WEDNESDAY = (date(2025, 5, day) for day in (5, 6, 7))


class Diary:
    """A collection of named texts, ranked in the order in which they were added."""

    def __init__(self) -> None:
        self.ranked: list[RankedHit] = []
        self.outlines: dict[UUID, TextOutline] = {}
        self.names: dict[UUID, str] = {}

    def add(
        self, name: str, day: date, *, kind: str = "entry", entry: str = "", text: str = "", why: str = WORDS
    ) -> "Diary":
        """Add the next best hit; `entry` names the entry of a reply, `text` says what it has like others."""
        id_ = UUID(int=len(self.names) + 1)
        of = next((known for known, one in self.names.items() if one == entry), id_)
        self.names[id_] = name
        self.outlines[id_] = TextOutline(kind, day, of, (text or name).encode())
        self.ranked.append(RankedHit(id_, (why,)))
        return self

    def group(self) -> list[HitGroup]:
        return group_hits(self.ranked, self.outlines)

    def list_names(self) -> list[list[str]]:
        """Return the names of the hits of each group."""
        return [[self.names[hit.id] for hit in group.hits] for group in self.group()]

    def list_same(self) -> dict[str, list[date]]:
        """Return the other days of each text that has any."""
        return {
            self.names[id_]: [self.outlines[hit.id].day for hit in same]
            for group in self.group()
            for id_, same in group.same_texts.items()
        }


def test_the_hits_of_a_day_are_one_group_where_its_best_hit_stood() -> None:
    diary = Diary().add("a", TUESDAY).add("b", MONDAY).add("c", TUESDAY).add("d", WEDNESDAY).add("e", MONDAY)

    assert diary.list_names() == [["a", "c"], ["b", "e"], ["d"]]
    assert [group.day for group in diary.group()] == [TUESDAY, MONDAY, WEDNESDAY]


def test_own_words_lead_each_with_its_replies_after_it() -> None:
    diary = Diary().add("recap", MONDAY, kind="recap").add("a", MONDAY).add("b", MONDAY)
    diary.add("to b", MONDAY, kind="reply", entry="b").add("to a", MONDAY, kind="reply", entry="a")
    diary.add("to none of these", MONDAY, kind="reply").add("other", TUESDAY)

    assert diary.list_names()[0] == ["a", "to a", "b", "to b", "recap", "to none of these"]


def test_a_reply_that_ranks_first_stands_under_its_entry_where_it_ranked() -> None:
    diary = Diary()
    diary.add("earlier", TUESDAY)
    diary.names[UUID(int=99)] = "a"
    diary.add("to a", MONDAY, kind="reply", entry="a").add("third", WEDNESDAY)
    diary.outlines[UUID(int=99)] = TextOutline("entry", MONDAY, UUID(int=99), b"a")
    diary.ranked.append(RankedHit(UUID(int=99), (WORDS,)))

    assert diary.list_names() == [["earlier"], ["a", "to a"], ["third"]]


def test_a_reply_alone_leads_its_day() -> None:
    assert Diary().add("reply", MONDAY, kind="reply").list_names() == [["reply"]]


def test_a_text_of_several_days_stands_once_with_the_other_days_latest_first() -> None:
    diary = Diary().add("best", TUESDAY, text="Rain.")
    for number, day in enumerate((MONDAY, WEDNESDAY, MONDAY, TUESDAY)):
        diary.add(f"again {number}", day, text="Rain.")

    assert diary.list_names() == [["best"]]
    assert diary.list_same() == {"best": [WEDNESDAY, MONDAY]}


def test_a_day_with_something_else_is_shown_without_the_text_again() -> None:
    diary = Diary().add("first", TUESDAY, text="Rain.").add("again", MONDAY, text="Rain.")
    diary.add("reply", MONDAY, kind="reply", entry="again")

    assert diary.list_names() == [["first"], ["reply"]]
    assert diary.list_same() == {"first": [MONDAY]}


def test_a_reply_with_the_words_of_an_entry_is_not_the_same_text() -> None:
    diary = Diary().add("own", MONDAY, text="Rain.").add("reply", TUESDAY, kind="reply", text="Rain.")

    assert diary.list_names() == [["own"], ["reply"]]


def test_a_hit_that_went_meanwhile_is_left_out() -> None:
    diary = Diary().add("a", MONDAY).add("b", TUESDAY)
    del diary.outlines[UUID(int=1)]

    assert diary.list_names() == [["b"]]


def test_a_day_is_unfolded_if_what_was_asked_is_only_in_the_fold() -> None:
    def is_unfolded(own: str, reply: str) -> bool:
        diary = Diary().add("own", MONDAY, why=own).add("reply", MONDAY, kind="reply", why=reply)
        return diary.group()[0].is_best_folded

    assert is_unfolded(MEANING, WORDS)
    assert is_unfolded(WORDS, PHRASE)
    assert not is_unfolded(WORDS, WORDS)
    assert not is_unfolded(PHRASE, WORDS)
    assert not is_unfolded(WORDS, MEANING)


HITS = st.lists(
    st.tuples(st.sampled_from(["entry", "reply", "recap"]), st.integers(0, 8), st.integers(0, 6)), max_size=40
)


@given(hits=HITS, most=st.integers(0, 50), cut=st.integers(0, 40))
def test_whatever_is_ranked_each_hit_stands_in_one_place_and_more_hits_change_no_order(
    hits: list[tuple[str, int, int]], most: int, cut: int
) -> None:
    diary = Diary()
    for number, (kind, day, text) in enumerate(hits):
        diary.add(str(number), MONDAY + timedelta(day), kind=kind, text=str(text))

    groups = diary.group()
    shown = list_shown(groups, most=most)

    placed = [hit.id for group in groups for hit in group.hits]
    named = [hit.id for group in groups for same in group.same_texts.values() for hit in same]
    assert len(placed) == len({*placed}) == len({(kind, text) for kind, _, text in hits})
    assert not {*placed} & {*named}
    assert len({group.day for group in groups}) == len(groups)
    assert {diary.outlines[id_].day for id_ in (*placed, *named)} == {
        outline.day for outline in diary.outlines.values()
    }
    assert [len(hits) >= 1 for hits in shown] == [True] * len(groups)
    assert sum(map(len, shown)) <= max(most, len(groups))
    assert all(list(group.hits[: len(some)]) == some for group, some in zip(groups, shown, strict=True))
    first = [group.day for group in group_hits(diary.ranked[:cut], diary.outlines)]
    assert [group.day for group in groups][: len(first)] == first


def test_a_crowded_day_takes_no_place_of_the_others() -> None:
    diary = Diary()
    for number in range(50):
        diary.add(f"monday {number}", MONDAY)
    for number in range(3):
        diary.add(f"tuesday {number}", TUESDAY)

    assert [len(hits) for hits in list_shown(diary.group(), most=10)] == [7, 3]
    assert [len(hits) for hits in list_shown(diary.group(), most=60)] == [50, 3]
    assert [len(hits) for hits in list_shown(diary.group(), most=1)] == [1, 1]
