"""A parser of HTML with CSS selectors.

page = read(answer)
page.texts("[data-proposal] bdi"), page.one("form.edit").get("action"), page.form('form[action="/x/"]')
"""

from typing import Any, Self

from selectolax.lexbor import LexborHTMLParser, LexborNode


def normalize_spaces(text: str) -> str:
    """Return a text with single spaces, as browsers show it."""
    return " ".join(text.split())


class HtmlNode:
    """An element of a page, or the whole page."""

    def __init__(self, node: Any) -> None:
        self.node: LexborNode = node

    def all(self, selector: str) -> "list[HtmlNode]":
        """Return every element that matches, in the order of the page."""
        return [HtmlNode(node) for node in self.node.css(selector)]

    def one(self, selector: str) -> "HtmlNode":
        """Return the only element that matches; fail if there is none or more than one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector} in: {self.html[:3000]}"
        return found[0]

    def first(self, selector: str) -> "HtmlNode":
        """Return the first element that matches; fail if there is none."""
        found = self.all(selector)
        assert found, f"no {selector} in: {self.html[:3000]}"
        return found[0]

    def has(self, selector: str) -> bool:
        return self.node.css_first(selector) is not None

    def texts(self, selector: str) -> list[str]:
        """Return the words of every element that matches."""
        return [found.text for found in self.all(selector)]

    def values(self, selector: str, attribute: str) -> list[str]:
        """Return an attribute of every element that matches and has the attribute."""
        return [found.get(attribute) for found in self.all(selector) if attribute in found.attributes]

    def ids(self, prefix: str) -> list[str]:
        """Return the parts of element ids after a prefix: `ids("reply-")`."""
        return [value.removeprefix(prefix) for value in self.values(f'[id^="{prefix}"]', "id")]

    def links(self) -> list[str]:
        """Return all URLs of links, resources and forms of the page."""
        names = ("href", "action", "formaction", "src", "hx-get", "hx-post")
        return [value for name in names for value in self.values(f"[{name}]", name)]

    def form(self, selector: str = "form") -> dict[str, str]:
        """Return the fields of the only form that matches, without its buttons."""
        fields: dict[str, str] = {}
        for field in self.one(selector).all("input[name], textarea[name], select[name]"):
            if field.node.tag == "textarea":
                fields[field.get("name")] = field.raw_text
            elif field.node.tag == "select":
                fields[field.get("name")] = field.first("option[selected], option").get("value")
            elif field.get("type") not in ("checkbox", "radio") or "checked" in field.attributes:
                fields[field.get("name")] = field.get("value")
        return fields

    def without(self, selector: str) -> Self:
        """Remove the elements that match, and return the rest."""
        for found in self.node.css(selector):
            found.decompose()
        return self

    def get(self, attribute: str) -> str:
        """Return an attribute, or an empty string if it is absent or has no value."""
        return self.attributes.get(attribute) or ""

    @property
    def attributes(self) -> dict[str, str | None]:
        return dict(self.node.attributes)

    @property
    def text(self) -> str:
        """The text, with single spaces."""
        return normalize_spaces(self.raw_text)

    @property
    def raw_text(self) -> str:
        """The exact text, with decoded entities; for a text box, its value."""
        return str(self.node.text(deep=True)).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return str(self.node.html)

    @property
    def inner_html(self) -> str:
        return str(self.node.inner_html)

    @property
    def spaced_text(self) -> str:
        """The text with a space at the end of each element, for reading tables."""
        return normalize_spaces(str(self.node.text(deep=True, separator=" ")))


def read(answer: Any) -> HtmlNode:
    """Parse a page or a fragment: a string, or a response of Django's client or over HTTP."""
    if isinstance(answer, str):
        markup = answer
    else:
        markup = answer.body if hasattr(answer, "body") else answer.content.decode()
    return HtmlNode(LexborHTMLParser(markup).root)


def get_returned_text(answer: Any) -> str:
    """Return the typed text in a response: in a composer, or on an error page."""
    return read(answer).first('textarea[name="text"], textarea#unsaved-text').raw_text
