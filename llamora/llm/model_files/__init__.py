"""Files of models.

gguf   the facts in the header of a `.gguf` file
"""
