"""Parsers of sentences that a person typed into an HTML form, to add or correct a fact."""

from typing import Any

from traces.facts.fact_body import KINDS, FactText
from traces.facts.models import Fact
from traces.facts.statements import guess_language


def parse_sentence(text: str, *, kind: str = "") -> FactText:
    """Return the fact that a typed sentence states; raise InvalidFact."""
    return FactText.create(text, language=guess_language(text), kind=kind if kind in KINDS else "")


def parse_correction(fact: Fact, text: str, *, kind: str | None = None) -> FactText | None:
    """Parse the typed correction of a fact; return None if it changes nothing, and raise InvalidFact.

    If `kind` is None or unknown, the kind of the fact stays; "" removes it.
    """
    body: dict[str, Any] = fact.body
    own = str(body.get("kind", ""))
    sentence = FactText.create(
        text or str(body.get("text", "")),
        language=guess_language(text) if text else str(body.get("language", "en")),
        kind=own if kind is None or (kind not in KINDS and kind) else kind,
    )
    is_same = sentence.text == body.get("text") and sentence.kind == own
    return None if is_same else sentence
