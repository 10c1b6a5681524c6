"""Time expressions in seven languages: `last Tuesday`, `halb acht`, `el 5 de mayo`, `from May to July 2019`.

values         the types of the results
expressions    the arithmetic of each kind of expression
grammar        the rules that all languages share
readings       builders of expressions from the words that a rule matched
parsing        the parser of these rules
lexicon        the words of a language, compiled from its table in `languages`
tokens         words, numbers and signs of a text
calendar_days  months, weeks, Easter
relative_expressions  expressions relative to another one
certainty      decides whether words in a text mean a date
holidays       fixed and movable holidays
scanner        `resolve` for a single expression, `scan` for a text
"""

from llamora.dates.lexicon import LANGUAGES
from llamora.dates.scanner import resolve, scan
from llamora.dates.values import DateMention, Direction, When

__all__ = ["LANGUAGES", "DateMention", "Direction", "When", "resolve", "scan"]
