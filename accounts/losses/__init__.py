"""Reports of saves that are missing from the database: stored, shown to whom they concern, acknowledged.

reports.py  the reports, as files of the data folder
views.py    the page that shows them after an unlock
"""
