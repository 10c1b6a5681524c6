"""The page *Settings, Model* of the administrator.

views       the page, and what its buttons do
presenters  the model files as the page shows them
"""
