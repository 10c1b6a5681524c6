"""The calendar: months and years with entries, and "on this day".

queries       days with entries, and the view data of months and years
on_this_day   entries of other years on a day of the year
views         the pages
"""
