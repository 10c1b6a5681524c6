"""URLs of the diary app: days, entries, drafts, the calendar, the bin, and all other pages of the app."""

from django.urls import include, path, register_converter

from diary.calendar import views as calendar_views
from diary.converters import DayConverter, MonthConverter, MonthDayConverter, YearConverter
from diary.drafts import views as drafts_views
from diary.entries import day_views
from diary.entries import views as entries_views
from diary.history import views as history_views
from diary.transfer import views as transfer_views

register_converter(DayConverter, "day")
register_converter(MonthConverter, "month")
register_converter(YearConverter, "year")
register_converter(MonthDayConverter, "month_day")

urlpatterns = [
    path("", day_views.today, name="today"),
    path("d/<day:day>/", day_views.day, name="day"),
    path("d/<day:day>/hide-model-notice/", day_views.hide_model_notice, name="hide_model_notice"),
    path("d/<day:day>/draft/", drafts_views.draft, name="draft"),
    path("drafts/", drafts_views.list_unchecked, name="unchecked_drafts"),
    path("drafts/damaged/delete/", drafts_views.delete_damaged, name="damaged_drafts_delete"),
    path("drafts/<uuid:draft_id>/delete/", drafts_views.delete_unchecked, name="unchecked_draft_delete"),
    path("calendar/<month:month>/", calendar_views.calendar, name="calendar"),
    path("calendar/", calendar_views.jump_to_month, name="calendar_jump"),
    path("years/<year:year>/", calendar_views.year, name="year"),
    path("on-this-day/<month_day:month_day>/", calendar_views.on_this_day_page, name="on_this_day"),
    path("keys/", day_views.shortcuts, name="shortcuts"),
    path("on-this-day/", calendar_views.on_this_day_today, name="on_this_day_today"),
    path("random/", calendar_views.random_day, name="random_day"),
    path("entries/<uuid:entry_id>/", entries_views.entry, name="entry"),
    path("entries/<uuid:entry_id>/edit/", entries_views.edit, name="entry_edit"),
    path("entries/<uuid:entry_id>/discard/", entries_views.discard, name="entry_discard"),
    path("entries/<uuid:entry_id>/move/", entries_views.move, name="entry_move"),
    path("entries/<uuid:entry_id>/versions/", history_views.versions, name="versions"),
    path(
        "versions/<uuid:version_id>/restore/", history_views.restore_earlier_version, name="version_restore"
    ),
    path("export/", transfer_views.export, name="export"),
    path("bin/", history_views.bin_page, name="bin"),
    path("bin/empty/", history_views.empty_all, name="bin_empty"),
    path("entries/<uuid:entry_id>/destroy/", history_views.destroy_deleted, name="entry_destroy"),
    path("entries/<uuid:entry_id>/delete/", entries_views.delete, name="entry_delete"),
    path("entries/<uuid:entry_id>/restore/", entries_views.restore, name="entry_restore"),
    path("", include("diary.inbox.urls")),
    path("", include("diary.notes.urls")),
    path("", include("diary.origins.urls")),
    path("", include("diary.replies.urls")),
    path("", include("diary.openings.urls")),
    path("", include("diary.recaps.urls")),
]
