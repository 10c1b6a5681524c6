"""Standing requests: the list in the note `HEARTBEAT.md`, and which of them apply at a given moment. Pure.

    - [ ] Ask me how the garden is (when: Saturday mornings)
    - [ ] On Sundays: what did I promise this week?
    - [x] Remind me of Jane's letter
    - Tell me if I have not written of my father for a week

Each list item is a request; `[x]` marks one as done. Its "when" restricts the times at which it is open, in
English or German: days of the week, "weekdays", "weekends", times of day, a date as 2026-12-24, or "from" and
"until" with a date. All of these must hold. Other words in it restrict nothing: the model reads them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

MAX_REQUESTS: Final = 12
MAX_LENGTH: Final = 300
_ITEM: Final = re.compile(r"[ \t]{0,8}(?:[-*+]|[0-9]{1,3}[.)])[ \t]+(?:\[([ xX])\][ \t]+)?(\S.*)", re.ASCII)
_BOX: Final = re.compile(r"\[[ xX]\]")
_WHEN: Final = re.compile(r"\(when:([^()\n]*)\)[ \t]*\Z", re.IGNORECASE)
# Words before a colon, if there is a time among them.
_LEAD: Final = re.compile(r"([^:\n]{1,60}):[ \t]+(?=\S)")
# What is asked to be done with what is found, in English and German; the rest is what to look for.
_ORDER: Final = re.compile(
    r"(?:please |bitte )?(?:(?:ask|tell|remind|show|frag|frage|sag|sage|erinner|erinnere|zeig|zeige) "
    r"(?:me|mich|mir)\b|count\b|zähl\b|zähle\b)"
    r"(?: (?:about|of|an|nach|if|whether|ob|how|wie|what|was|when|wann)\b)?",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[^\W\d_]+")
_SATURDAY: Final = 5
_ENGLISH: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GERMAN: Final = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_DAYS: Final = {
    **{name: number for names in (_ENGLISH, _GERMAN) for number, name in enumerate(names)},
    "sonnabend": _SATURDAY,
}
_DAY_GROUPS: Final = {
    **dict.fromkeys(("weekday", "werktag"), range(_SATURDAY)),
    **dict.fromkeys(("weekend", "wochenende"), range(_SATURDAY, 7)),
}
# Hours of the clock, from the first up to the last.
_TIMES: Final = {
    **dict.fromkeys(("morning", "morgen", "vormittag"), (5, 12)),
    **dict.fromkeys(("noon", "mittag"), (11, 14)),
    **dict.fromkeys(("afternoon", "nachmittag"), (12, 18)),
    **dict.fromkeys(("evening", "abend"), (17, 24)),
}
_FROM: Final = frozenset({"from", "after", "since", "ab", "seit"})
_UNTIL: Final = frozenset({"until", "till", "before", "bis"})


@dataclass(frozen=True, kw_only=True)
class ListedRequest:
    """A standing request, as read from one line of a note. `when` says at which times it applies."""

    line: int
    text: str = field(repr=False)
    when: str = field(default="", repr=False)
    is_done: bool = False


def parse_requests(note: str) -> list[ListedRequest]:
    """Return the standing requests of a note, in order. A note without a list has no requests."""
    # The lines that `mark_done` counts as well.
    lines = enumerate(note.splitlines())
    return [request for number, line in lines if (request := _parse_line(number, line))]


def list_open(note: str, *, now: datetime) -> list[ListedRequest]:
    """Return the standing requests of a note that are not done and whose times include `now`.

    At most MAX_REQUESTS are returned. `now` must be in the person's time zone.
    """
    requests = parse_requests(note)
    return [one for one in requests if not one.is_done and is_open(one.when, now=now)][:MAX_REQUESTS]


def is_open(when: str, *, now: datetime) -> bool:
    """Return whether `now` is in the times `when` of a standing request, such as "Saturday mornings"."""
    return all(check(now) for check in _list_checks(when))


def build_query(request: ListedRequest) -> str:
    """Return the words of a request to search for, without its times and its instruction."""
    lead = _find_lead(request.text)
    text = request.text[len(lead) + 1 :].strip() if lead else request.text
    order = _ORDER.match(text)
    rest = text[order.end() :].strip(" ,:") if order else text
    return rest or text


def mark_done(note: str, text: str) -> str:
    """Return the note with a standing request marked as done: the first unfinished one with these words.

    If there is no such request, the note is returned unchanged.
    """
    lines = note.splitlines(keepends=True)
    for number, line in enumerate(lines):
        request = _parse_line(number, line.rstrip("\r\n"))
        if request is None or request.is_done or request.text != text:
            continue
        match = _ITEM.match(line)
        assert match is not None
        if match[1] is None:
            lines[number] = line[: match.start(2)] + "[x] " + line[match.start(2) :]
        else:
            lines[number] = _BOX.sub("[x]", line, count=1)
        return "".join(lines)
    return note


def _parse_line(number: int, line: str) -> ListedRequest | None:
    match = _ITEM.match(line)
    if match is None:
        return None
    text = match[2].strip()
    when = _WHEN.search(text)
    words = (text[: when.start()] if when else text).strip()[:MAX_LENGTH]
    if not words:
        return None
    said = when[1].strip() if when else _find_lead(words)
    return ListedRequest(line=number, text=words, when=said, is_done=match[1] in ("x", "X"))


def _find_lead(text: str) -> str:
    """Return the words before a colon with which a request begins, if they say at which times it is open."""
    lead = _LEAD.match(text)
    return lead[1] if lead and any(_list_checks(lead[1])) else ""


def _list_checks(when: str) -> Iterator[Callable[[datetime], bool]]:
    words = [word.casefold() for word in _WORD.findall(when)]
    days: set[int] = set()
    hours: list[tuple[int, int]] = []
    before = ""
    for word in words:
        single = word.removesuffix("s")
        if single in _DAYS:
            days.add(_DAYS[single])
        elif single in _DAY_GROUPS:
            days.update(_DAY_GROUPS[single])
        elif single in _TIMES:
            hours.append(_TIMES[single])
        elif (day := _parse_date(word)) is not None:
            yield _build_date_check(before, day)
        before = word
    if days:
        yield lambda now: now.weekday() in days
    if hours:
        yield lambda now: any(first <= now.hour < last for first, last in hours)


def _build_date_check(before: str, day: date) -> Callable[[datetime], bool]:
    if before in _FROM:
        return lambda now: now.date() >= day
    if before in _UNTIL:
        return lambda now: now.date() <= day
    return lambda now: now.date() == day


def _parse_date(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if "-" in word else None
    except ValueError:
        return None
