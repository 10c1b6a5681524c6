"""The page with a recovery code: reading it, and typing two of its groups back."""

from playwright.sync_api import Locator, Page

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def shown_code(page: Page) -> list[str]:
    """The groups of the code on the page."""
    return page.locator("[data-recovery-code]").inner_text().split()


def asked(page: Page) -> list[tuple[Locator, str]]:
    """The fields of the groups that are asked for, each with the group that belongs in it."""
    groups = shown_code(page)
    fields = [page.get_by_label(f"{ordinal.capitalize()} group", exact=True) for ordinal in ORDINALS]
    return [(each, group) for each, group in zip(fields, groups, strict=True) if each.count()]


def press_kept(page: Page) -> None:
    page.get_by_role("button", name="Continue", exact=True).click()


def keep_code(page: Page) -> list[str]:
    """Type back what is asked for and go on; the groups of the code."""
    groups = shown_code(page)
    for each, group in asked(page):
        each.fill(group)
    press_kept(page)
    return groups
