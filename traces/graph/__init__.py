"""The graph of traces that share entries: `layout` computes it, `presenters` renders it."""
