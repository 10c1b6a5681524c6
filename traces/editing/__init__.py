"""Changes of a trace everywhere: rename, merge, delete, and undo."""
