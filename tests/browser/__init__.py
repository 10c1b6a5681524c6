"""A real chromium against the app as a subprocess. No ORM in this process: it clashes with Playwright."""
