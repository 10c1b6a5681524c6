"""Preferences of a person: one form of the columns of `Person`, and the settings page.

forms       `PreferencesForm`, with its sections
languages   languages of dates
time_zones  names of time zones
views       the settings page
"""
