"""The calls of the API, a module for each subject, and the structs that they take and answer."""
