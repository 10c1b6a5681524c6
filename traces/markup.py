"""HTML of the days of a heatmap and of the points and lines of a graph.

There are hundreds on a page: a template takes five times as long for them as for all the rest. Names and
dates are escaped here.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from traces.detail.heatmap import HeatDay, HeatMonth
from traces.graph.layout import GraphEdge, GraphNode


def _join_safe(parts: Iterable[str]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - the callers escape names and dates


def get_entry_count_label(count: int) -> str:
    """Return "1 entry" or "5 entries"."""
    return f"{count} entry" if count == 1 else f"{count} entries"


def render_squares(month: HeatMonth, *, url_prefix: str) -> SafeString:
    """Return the squares of a month, those with entries as links; `url_prefix` begins the URLs of days."""
    rows = [f" r{month.row}", *[""] * (len(month.days) - 1)]
    return _join_safe(_render_square(day, row, url_prefix) for day, row in zip(month.days, rows, strict=True))


def _render_square(day: HeatDay, row: str, url_prefix: str) -> str:
    if not day.count:
        return f'<i class="heat{row}"></i>'
    label = f'<span class="visually-hidden">{escape(day.label)}, {get_entry_count_label(day.count)}</span>'
    link = f'href="{url_prefix}{day.iso}/" data-date="{day.iso}"'
    return f'<a class="heat s{day.step}{row}" {link}>{label}</a>'


def render_day_list(month: HeatMonth, *, url_prefix: str) -> SafeString:
    """Return the days of a month with entries as links, with the count if it is more than one."""
    links = (
        f'<a href="{url_prefix}{day.iso}/">{day.date.day}</a>{f" ({day.count})" if day.count > 1 else ""}'
        for day in month.days_with_entries
    )
    return _join_safe([", ".join(links)])


def render_nodes(
    nodes: Sequence[GraphNode], *, name: Callable[[UUID], str], get_url: Callable[[UUID], str]
) -> SafeString:
    """Return the points of a drawing as links."""
    return _join_safe(_render_node(node, escape(name(node.id)), get_url(node.id)) for node in nodes)


def _render_node(node: GraphNode, name: str, url: str) -> str:
    position = f'x="{node.label_x}" y="{node.label_y}" text-anchor="{node.anchor}"'
    label = f"<text {position}>{name}</text>" if node.anchor else ""
    circle = f'<circle cx="{node.x}" cy="{node.y}" r="{node.radius}"/>'
    return f'<a href="{url}" tabindex="-1">{circle}{label}<title>{name}</title></a>'


def render_edges(edges: Sequence[GraphEdge]) -> SafeString:
    """Return the lines of a drawing."""
    return _join_safe(
        f'<line x1="{line.x1}" y1="{line.y1}" x2="{line.x2}" y2="{line.y2}" stroke-width="{line.width}"/>'
        for line in edges
    )
