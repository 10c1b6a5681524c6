"""The picture of which traces occur together: `layout` computes it, `presenters` renders it."""
