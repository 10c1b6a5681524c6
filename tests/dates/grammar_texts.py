"""Texts generated from the grammar, so that each of its rules is tried in each language."""

from collections.abc import Iterator
from random import Random

from llamora.dates.grammar import MONTH_FIRST
from llamora.dates.lexicon import COMMON, load_lexicon
from llamora.dates.parsing import RuleNode

NUMBERS = {
    "int": "3", "int2": "14", "year": "2019", "ord": "2", "digit_ord": "2", "bare_day": "7", "roman": "xix",
    "iso_week": "2021-W05-3", "iso_date": "2021-02-03", "iso_basic": "20210203", "iso_month": "2021-02",
    "number_date": "3/4/2021", "day_month": "5.3.", "dashed_day_month": "5-9", "number_month": "3/2021",
    "digital": "19:30", "dotted_clock": "8.50", "decimal": "2,5", "year_pair": "2019/20",
    "letter_clock": "8h15", "zone_offset": "+02:00",
}  # fmt: skip


def list_words_of(language: str) -> dict[str, list[str]]:
    """Return the phrases of each category of a language, and a number for each kind of number."""
    words = {name: [text] for name, text in NUMBERS.items()}
    table = load_lexicon(language).table
    for tables in (COMMON, table.words):
        for category, values in tables.items():
            phrases = [each.strip() for phrases in values.values() for each in phrases.split(",")]
            words.setdefault(category, []).extend(each for each in phrases if each)
    words["single_unit"] = words["unit"]
    words["num"] = [each.split("/")[0] for each in table.numbers if each]
    words["introducer"] = sorted(table.introducing)
    words["comma"] = [","]
    return words


def iter_rule_texts(language: str, seed: int) -> Iterator[str]:
    """Yield a text for every row of every rule that the words of a language can fill."""
    words, random = list_words_of(language), Random(seed)

    def write(name: str, depth: int) -> str:
        if name not in MONTH_FIRST.roots:
            return random.choice(words.get(name, [""]))
        node = MONTH_FIRST.roots[name]
        parts: list[str] = []
        while node.children and not (node.ends and (depth <= 0 or random.random() < 0.5)):
            each = random.choice(sorted(node.children))
            parts.append(write(each, depth - 1))
            node = node.children[each]
        return " ".join(parts)

    def walk(node: RuleNode, parts: list[str]) -> Iterator[str]:
        if node.ends:
            yield " ".join(write(name, 3) for name in parts)
        for name, child in node.children.items():
            yield from walk(child, [*parts, name])

    for name in ("scanned", "whole", *MONTH_FIRST.roots):
        yield from walk(MONTH_FIRST.roots[name], [])
