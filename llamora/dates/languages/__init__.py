"""Tables of the words of time, one module for each language."""
