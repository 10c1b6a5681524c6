"""Model files: facts in their headers, size of models, and download.

gguf       the facts in the header of a `.gguf` file
size       the number of parameters of a model, and the smallest useful one
download   the download of a file from a hub
"""
