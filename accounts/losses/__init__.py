"""Reports of lost saves: stored as files, shown to the people concerned until they acknowledge them.

reports.py  the reports, as files of the data folder
views.py    the page that shows them after an unlock
"""
