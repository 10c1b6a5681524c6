"""Sentences for the next page travel in a cookie of our own name: cookies ignore ports."""

from django.contrib.messages.storage.cookie import CookieStorage


class SaidStorage(CookieStorage):
    """Django's storage, under a name that no other Django program on this host has."""

    cookie_name = "llamora_said"
