"""The calls of the API, one module for each subject, with the structs of their bodies and responses."""
