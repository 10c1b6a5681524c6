"""The addresses of days, entries and replies."""

from django.urls import include, path, register_converter

from diary.converters import DayConverter, MonthConverter, PlaceConverter, YearConverter
from diary.views import calendar, days, deleted, drafts, entries, export, keys, versions, years

register_converter(DayConverter, "day")
register_converter(MonthConverter, "month")
register_converter(YearConverter, "year")
register_converter(PlaceConverter, "place")

urlpatterns = [
    path("", days.today, name="today"),
    path("d/<day:day>/", days.day, name="day"),
    path("d/<day:day>/draft/", drafts.draft, name="draft"),
    path("calendar/<month:month>/", calendar.calendar, name="calendar"),
    path("calendar/", years.jump, name="jump"),
    path("years/<year:year>/", years.year, name="year"),
    path("on-this-day/<place:place>/", years.on_this_day, name="on_this_day"),
    path("keys/", keys.keys, name="keys"),
    path("on-this-day/", years.this_day, name="this_day"),
    path("random/", years.random_day, name="random"),
    path("entries/<uuid:entry_id>/", entries.entry, name="entry"),
    path("entries/<uuid:entry_id>/edit/", entries.edit, name="entry_edit"),
    path("entries/<uuid:entry_id>/discard/", entries.discard, name="entry_discard"),
    path("entries/<uuid:entry_id>/move/", entries.move, name="entry_move"),
    path("entries/<uuid:entry_id>/versions/", versions.versions, name="versions"),
    path("versions/<uuid:version_id>/restore/", versions.restore, name="version_restore"),
    path("export/", export.export, name="export"),
    path("bin/", deleted.page, name="bin"),
    path("bin/empty/", deleted.empty, name="bin_empty"),
    path("entries/<uuid:entry_id>/destroy/", deleted.destroy, name="entry_destroy"),
    path("entries/<uuid:entry_id>/delete/", entries.delete, name="entry_delete"),
    path("entries/<uuid:entry_id>/restore/", entries.restore, name="entry_restore"),
    path("", include("diary.replies.urls")),
    path("", include("diary.openings.urls")),
    path("", include("diary.recaps.urls")),
]
