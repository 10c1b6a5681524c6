"""Actions on the page with a recovery code: read the code, and type two of its groups."""

from playwright.sync_api import Locator, Page

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def get_shown_code(page: Page) -> list[str]:
    """Return the groups of the code on the page."""
    return page.locator("[data-recovery-code]").inner_text().split()


def list_requested_fields(page: Page) -> list[tuple[Locator, str]]:
    """Return the requested fields, each with its group of the code."""
    groups = get_shown_code(page)
    fields = [page.get_by_label(f"{ordinal.capitalize()} group", exact=True) for ordinal in ORDINALS]
    return [(each, group) for each, group in zip(fields, groups, strict=True) if each.count()]


def press_continue(page: Page) -> None:
    page.get_by_role("button", name="Continue", exact=True).click()


def confirm_code(page: Page) -> list[str]:
    """Fill in the requested groups and continue; return all groups of the code."""
    groups = get_shown_code(page)
    for each, group in list_requested_fields(page):
        each.fill(group)
    press_continue(page)
    return groups
