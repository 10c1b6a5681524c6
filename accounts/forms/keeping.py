"""What is typed back of a recovery code before going on."""

from typing import Any

from django import forms

from llamora.crypto import recovery_groups, recovery_letters

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
GROUPS = len(_ORDINALS)
# However it is spaced; a whole code fits as well, and is told that it is none of its groups.
_MAX_TYPED = 200


def _group() -> forms.CharField:
    attrs = {
        "autocomplete": "off",
        "autocapitalize": "characters",
        "spellcheck": "false",
        "writingsuggestions": "false",
    }
    return forms.CharField(max_length=_MAX_TYPED, widget=forms.TextInput(attrs=attrs))


class KeptForm(forms.Form):
    """Two groups of the code, read as the code itself is."""

    group_a = _group()
    group_b = _group()

    def __init__(self, *args: Any, code: str, asked: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups: dict[str, str] = {}
        for (name, each), index in zip(self.fields.items(), asked, strict=True):
            each.label = f"The {_ORDINALS[index]} group"
            each.error_messages["required"] = f"Type the {_ORDINALS[index]} group of the code above."
            each.error_messages["max_length"] = each.error_messages["wrong"] = (
                f"This is not the {_ORDINALS[index]} group. Compare it with the code above."
            )
            self._groups[name] = recovery_groups(code)[index]

    def clean(self) -> dict[str, Any]:
        """Compare what was typed with what was shown; the first that is wrong gets the keyboard."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, group in self._groups.items():
            if name in cleaned and recovery_letters(cleaned[name]) != group:
                self.add_error(name, self.fields[name].error_messages["wrong"])
        for name in list(self.errors)[:1]:
            self.fields[name].widget.attrs["autofocus"] = True
        return cleaned
