"""The page *Settings, Model* of the administrator.

views       the page and its forms
presenters  the files in the folder of models
"""
