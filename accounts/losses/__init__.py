"""Reports of saves that the database lost, stored as files and shown until they are acknowledged.

reports.py  the reports, as files of the data folder
views.py    the page that shows them after an unlock
"""
