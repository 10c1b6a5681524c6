"""The bridge to the model: which server is used (endpoint), what people are told (sentences), the jobs.

Kept free of imports, because the child process that runs a model lives in this package too.
"""
