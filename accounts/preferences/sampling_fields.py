"""Form fields for sampling parameters, which share one column of `Person`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms

from llamora.llm.requests.sampling import InvalidSampling, check_parameter, merge_sampling, parse_sampling

_MORE: Final = "more_sampling"
NAMES: Final = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "stop", _MORE)
_MAX_LENGTH = 1000


class SamplingField(forms.CharField):
    """A field whose value is a dict of the sampling parameters that are set."""

    def __init__(
        self,
        parse: Callable[[str], dict[str, Any]],
        format_value: Callable[[dict[str, Any]], str],
        **options: Any,
    ) -> None:
        super().__init__(required=False, max_length=_MAX_LENGTH, strip=False, **options)
        self._parse, self._format = parse, format_value

    def clean(self, value: Any) -> dict[str, Any]:
        """Return the parameters; raise ValidationError with a sentence about the invalid one."""
        text = super().clean(value)
        try:
            return self._parse(text) if text.strip() else {}
        except InvalidSampling as reason:
            raise forms.ValidationError(str(reason)) from None

    def prepare_value(self, value: Any) -> Any:
        """Return parameters as the text of the field; submitted text is returned unchanged."""
        return self._format(value) if isinstance(value, dict) else value


def build_number_field(name: str, label: str, *, help_text: str, step: str) -> SamplingField:
    """Return a form field for a sampling parameter that is a number."""

    def parse(text: str) -> dict[str, Any]:
        value: object = text
        for read in (int, float):
            try:
                value = read(text)
                break
            except ValueError:
                continue
        check_parameter(name, value)
        return {name: value}

    return SamplingField(
        parse,
        lambda values: str(values.get(name, "")),
        label=label,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"step": step, "autocomplete": "off"}),
    )


def build_stop_field() -> SamplingField:
    """Return a form field for the texts that end a reply, one on each line."""

    def parse(text: str) -> dict[str, Any]:
        stops = [line.replace("\\n", "\n") for line in text.splitlines() if line]
        check_parameter("stop", stops)
        return {"stop": stops}

    return SamplingField(
        parse,
        lambda values: "\n".join(stop.replace("\n", "\\n") for stop in values.get("stop", ())),
        label="Stop before",
        help_text="The reply ends before one of these: up to 4 texts, one on each line. \\n is a line break.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )


def build_more_field() -> SamplingField:
    """Return a form field for all sampling parameters that have no field of their own, in JSON."""

    def parse(text: str) -> dict[str, Any]:
        values = parse_sampling(text, elsewhere=NAMES)
        for name in values.keys() & set(NAMES):
            raise InvalidSampling(f"{name} has a field of its own. Leave it out here.")
        return values

    return SamplingField(
        parse,
        lambda values: json.dumps(rest) if (rest := _select_more(values)) else "",
        label="More parameters",
        help_text='In JSON, such as {"seed": 7, "reasoning_effort": "low"}.',
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )


def update_sampling(sampling: object, *, sent: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the stored parameters, updated with the submitted fields."""
    updated = merge_sampling(sampling)
    for field, values in sent.items():
        for name in _select_more(updated) if field == _MORE else (field,):
            updated.pop(name, None)
        updated |= values
    return updated


def _select_more(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in NAMES}
