"""Model files: the properties in their headers, the size of models, and downloads.

gguf       the facts in the header of a `.gguf` file
size       the number of parameters of a model, and the smallest useful one
download   the download of a file from a hub
"""
