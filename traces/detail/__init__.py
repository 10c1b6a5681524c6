"""Pages and fragments of traces."""
