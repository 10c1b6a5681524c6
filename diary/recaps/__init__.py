"""Recaps: one to three sentences about a past day, valid as long as its entries do not change.

services  find or start a recap
tasks     the generation of one recap
"""
