"""Tables of words about time, one module for each language."""
