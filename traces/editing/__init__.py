"""Changes to a trace on all entries: rename, merge, delete, and undo."""
