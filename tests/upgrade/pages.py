"""A parser of pages that reads their words, links and form fields, and ignores classes and buttons.

Classes and the words on buttons may change between versions, so nothing is found by them.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

INLINE = {"a", "b", "bdi", "code", "em", "i", "kbd", "mark", "s", "small", "span", "strong", "time"}
UNSEEN = {"script", "style", "template", "title"}
VOID = {"br", "hr", "img", "input", "link", "meta"}


def get_words(text: str) -> str:
    """Return a text without emphasis marks and with single spaces."""
    return " ".join(text.replace("*", "").split())


@dataclass
class Form:
    """A form: its action, fields and buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self, *, path: str = "") -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._path, self._parts, self._unseen = path, [""], 0
        self._area: str | None = None
        self._select = ""

    @classmethod
    def read(cls, body: str, *, path: str = "") -> Self:
        page = cls(path=path)
        page.feed(body)
        page.close()
        return page

    @property
    def text(self) -> str:
        return get_words("".join(self._parts))

    def says(self, text: str) -> bool:
        return get_words(text) in self.text

    def form(self, action: str) -> Form:
        """Return the form with this action; fields of several such forms are merged."""
        there = [form for form in self.forms if form.action == action]
        assert there, f"no form is sent to {action}"
        fields = {name: value for form in there for name, value in form.fields.items()}
        return Form(action, fields, [button for form in there for button in form.buttons])

    def offers(self, name: str) -> set[str]:
        """Return the values of the buttons with this name."""
        return {value for form in self.forms for called, value, _ in form.buttons if called == name}

    def actions(self) -> set[str]:
        """Return the actions of all forms and buttons."""
        return {form.action for form in self.forms} | {to for form in self.forms for _, _, to in form.buttons}

    # --- reading -------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag not in INLINE:
            self._parts.append(" ")
        if tag in UNSEEN:
            self._unseen += 1
        elif tag == "a":
            self.links.append(said.get("href", ""))
        elif tag == "form":
            self.forms.append(Form(said.get("action") or self._path))
        elif self.forms:
            self._in_form(tag, said)

    def _in_form(self, tag: str, said: dict[str, str]) -> None:
        form, name = self.forms[-1], said.get("name", "")
        if tag == "input" and (said.get("type") not in ("checkbox", "radio") or "checked" in said):
            form.fields[name] = said.get("value", "")
        elif tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in said or self._select not in form.fields):
            form.fields[self._select] = said.get("value", "")
        elif tag == "button":
            form.buttons.append((name, said.get("value", ""), said.get("formaction", form.action)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE | VOID:
            self._parts.append(" ")
        if tag in UNSEEN:
            self._unseen -= 1
        elif tag == "textarea" and self._area is not None:
            fields = self.forms[-1].fields
            # A line end right after the tag is not part of the text.
            fields[self._area] = fields[self._area].replace("\r\n", "\n").removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1].fields[self._area] += data
        elif not self._unseen:
            self._parts.append(data)
