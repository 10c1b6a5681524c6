"""Pieces of pages of which there are too many for a template: the days of a year, the points of a picture.

A template takes five times as long for them as all the rest of its page. Names and dates are escaped here.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from traces.detail.heatmap import HeatDay, HeatMonth
from traces.graph.layout import GraphEdge, GraphNode


def _join_safe(parts: Iterable[str]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - every word in it went through escape


def get_entry_count_label(count: int) -> str:
    """Return a number of entries in words."""
    return f"{count} entry" if count == 1 else f"{count} entries"


def render_squares(month: HeatMonth, *, days_at: str) -> SafeString:
    """Return the squares of a month, those with entries as links; `days_at` begins the address of a day."""
    rows = [f" r{month.row}", *[""] * (len(month.days) - 1)]
    return _join_safe(_render_square(day, row, days_at) for day, row in zip(month.days, rows, strict=True))


def _render_square(day: HeatDay, row: str, days_at: str) -> str:
    if not day.count:
        return f'<i class="heat{row}"></i>'
    said = f'<span class="visually-hidden">{escape(day.label)}, {get_entry_count_label(day.count)}</span>'
    link = f'href="{days_at}{day.iso}/" data-date="{day.iso}"'
    return f'<a class="heat s{day.step}{row}" {link}>{said}</a>'


def render_day_list(month: HeatMonth, *, days_at: str) -> SafeString:
    """Return the days of a month with entries as links, with the count where it is more than one."""
    links = (
        f'<a href="{days_at}{day.iso}/">{day.date.day}</a>{f" ({day.count})" if day.count > 1 else ""}'
        for day in month.days_with_entries
    )
    return _join_safe([", ".join(links)])


def render_nodes(
    nodes: Sequence[GraphNode], *, name: Callable[[UUID], str], at: Callable[[UUID], str]
) -> SafeString:
    """Return the points of a picture as links."""
    return _join_safe(_render_node(node, escape(name(node.id)), at(node.id)) for node in nodes)


def _render_node(node: GraphNode, name: str, address: str) -> str:
    place = f'x="{node.label_x}" y="{node.label_y}" text-anchor="{node.anchor}"'
    written = f"<text {place}>{name}</text>" if node.anchor else ""
    circle = f'<circle cx="{node.x}" cy="{node.y}" r="{node.radius}"/>'
    return f'<a href="{address}" tabindex="-1">{circle}{written}<title>{name}</title></a>'


def render_edges(drawn: Sequence[GraphEdge]) -> SafeString:
    """Return the lines of a picture."""
    return _join_safe(
        f'<line x1="{line.x1}" y1="{line.y1}" x2="{line.x2}" y2="{line.y2}" stroke-width="{line.width}"/>'
        for line in drawn
    )
