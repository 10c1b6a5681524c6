"""Preferences of a person: the form for columns of `Person`, and the settings page.

forms            `PreferencesForm`, with its sections
sampling_fields  fields for sampling parameters
languages        languages of dates
time_zones       names of time zones
views            the settings page
"""
