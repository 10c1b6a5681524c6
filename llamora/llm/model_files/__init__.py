"""Files of models, and sizes of models.

gguf       the facts in the header of a `.gguf` file
size       how large a model is, and how small is too small
download   the download of a file from a hub
"""
