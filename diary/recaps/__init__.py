"""Recaps: one to three sentences about a past day, valid as long as its entries do not change.

services  finding and starting recaps
tasks     the generation of one recap
views     the recap in the calendar and on a day page
"""
