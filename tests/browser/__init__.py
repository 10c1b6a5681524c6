"""Browser tests: a real Chromium against the app in a subprocess. Playwright's sync API excludes the ORM."""
