"""Sampling parameters, such as the temperature, as a household and each person may choose them.

Only the parameters in RULES are ever sent to a server. None of them changes messages, tools or addresses, the
format, number or length of replies, or the logs of a server.

The parameters in THINKING control how much the model thinks before it writes, and apply to all texts. The
others apply only to free texts such as replies: a value that makes replies lively would spoil a summary.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

Sampling = Mapping[str, Any]

MAX_STOPS, MAX_STOP_LENGTH = 4, 20
_EFFORTS = ("none", "minimal", "low", "medium", "high")
_SWITCHES = ("enable_thinking", "thinking")


class InvalidSampling(ValueError):  # noqa: N818 - states what is the case
    """Raised for invalid parameters; the text is a sentence that names the parameter."""


class ParameterRule(NamedTuple):
    """The allowed values of a parameter: a function that checks a value, and a description in words."""

    accepts: Callable[[Any], bool]
    description: str


def _number(least: float, most: float) -> ParameterRule:
    def accepts(value: Any) -> bool:
        # True is an int too; NaN is in no range.
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    return ParameterRule(accepts, f"a number from {least:g} to {most:g}")


def _whole_number(least: int, most: int) -> ParameterRule:
    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return ParameterRule(accepts, f"a whole number from {least} to {most}")


def _is_stop_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MAX_STOPS
        and all(isinstance(stop, str) and 1 <= len(stop) <= MAX_STOP_LENGTH for stop in value)
    )


def _is_switches(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(name in _SWITCHES and isinstance(switch, bool) for name, switch in value.items())
    )


RULES: Final[Mapping[str, ParameterRule]] = {
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "top_k": _whole_number(0, 1000),
    "min_p": _number(0, 1),
    "repeat_penalty": _number(0.5, 2),
    "stop": ParameterRule(
        _is_stop_list, f"a list of up to {MAX_STOPS} texts of up to {MAX_STOP_LENGTH} characters"
    ),
    "seed": _whole_number(0, 4_294_967_295),
    "presence_penalty": _number(-2, 2),
    "frequency_penalty": _number(-2, 2),
    "repeat_last_n": _whole_number(-1, 32_768),
    "typical_p": _number(0, 1),
    "top_n_sigma": _number(-1, 10),
    "mirostat": _whole_number(0, 2),
    "mirostat_tau": _number(0, 20),
    "mirostat_eta": _number(0, 1),
    "dynatemp_range": _number(0, 2),
    "dynatemp_exponent": _number(0, 10),
    "xtc_probability": _number(0, 1),
    "xtc_threshold": _number(0, 1),
    "dry_multiplier": _number(0, 10),
    "dry_base": _number(1, 10),
    "dry_allowed_length": _whole_number(0, 1000),
    "dry_penalty_last_n": _whole_number(-1, 32_768),
    "reasoning_effort": ParameterRule(
        lambda value: isinstance(value, str) and value in _EFFORTS, f"one of: {', '.join(_EFFORTS)}"
    ),
    "chat_template_kwargs": ParameterRule(
        _is_switches, f"an object with {' or '.join(_SWITCHES)}, each true or false"
    ),
}
THINKING: Final = frozenset({"reasoning_effort", "chat_template_kwargs"})


def check_parameter(name: str, value: Any, *, elsewhere: Collection[str] = ()) -> None:
    """Raise InvalidSampling if the parameter is unknown or its value is not allowed.

    If it is unknown, the error lists the known parameters, except those in `elsewhere`, which have form
    fields of their own.
    """
    rule = RULES.get(name)
    if rule is None:
        # The name in quotes and on one line, whatever it is.
        names = ", ".join(known for known in RULES if known not in elsewhere)
        raise InvalidSampling(f"{json.dumps(name[:40])} can't be set. These can: {names}.")
    if not rule.accepts(value):
        raise InvalidSampling(f"{name} must be {rule.description}.")


def parse_sampling(text: str, *, elsewhere: Collection[str] = ()) -> dict[str, Any]:
    """Return the parameters of a JSON object; raise InvalidSampling, as `check_parameter` does."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InvalidSampling('Write the parameters as a JSON object, such as {"seed": 7, "min_p": 0.05}.')
    for name, value in values.items():
        check_parameter(name, value, elsewhere=elsewhere)
    return values


def merge_sampling(*choices: object) -> dict[str, Any]:
    """Merge several dicts of sampling parameters into one; values in later dicts take precedence.

    Invalid parameters are left out, since a stored choice may be from another version of this program.
    """
    merged: dict[str, Any] = {}
    for chosen in choices:
        if isinstance(chosen, dict):
            merged |= {
                name: value for name, value in chosen.items() if name in RULES and RULES[name].accepts(value)
            }
    return merged


def select_thinking(sampling: Sampling) -> dict[str, Any]:
    """Return only the sampling parameters that control the model's thinking.

    These apply to every text. The others apply only to a prompt with `uses_sampling`.
    """
    return {name: value for name, value in sampling.items() if name in THINKING}
