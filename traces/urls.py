"""The addresses of traces; none of them ever holds a name."""

from django.urls import path, register_converter

from traces.converters import IdsConverter
from traces.views import changing, entry, index, picture, trace

register_converter(IdsConverter, "ids")

urlpatterns = [
    path("entries/<uuid:entry_id>/traces/", entry.traces, name="entry_traces"),
    path("entries/<uuid:entry_id>/traces/keep/", entry.keep, name="trace_keep"),
    path("entries/<uuid:entry_id>/traces/dismiss/", entry.dismiss, name="trace_dismiss"),
    path("entries/<uuid:entry_id>/traces/propose/", entry.propose, name="trace_propose"),
    path("entries/<uuid:entry_id>/traces/complete/", entry.complete, name="trace_complete"),
    path("entries/<uuid:entry_id>/traces/<uuid:trace_id>/remove/", entry.remove, name="trace_remove"),
    path("traces/choices/", entry.choices, name="trace_choices"),
    path("traces/<uuid:trace_id>/glance/", entry.glance, name="trace_glance"),
    path("traces/", index.index, name="traces"),
    path("traces/picture/", picture.picture, name="traces_picture"),
    path("traces/changes/<uuid:change_id>/undo/", changing.undo, name="trace_undo"),
    path("traces/<uuid:trace_id>/", trace.trace, name="trace"),
    path("traces/<uuid:trace_id>/in/<year:year>/", trace.trace, name="trace_in"),
    path("traces/<uuid:trace_id>/with/<ids:others>/", trace.trace, name="trace_with"),
    path("traces/<uuid:trace_id>/with/<ids:others>/in/<year:year>/", trace.trace, name="trace_with_in"),
    path("traces/<uuid:trace_id>/summary/", trace.summary, name="trace_summary"),
    path("traces/<uuid:trace_id>/rename/", changing.rename, name="trace_rename"),
    path("traces/<uuid:trace_id>/merge/", changing.merge, name="trace_merge"),
    path("traces/<uuid:trace_id>/delete/", changing.delete, name="trace_delete"),
    path("traces/<uuid:trace_id>/always/", changing.read_always, name="trace_always"),
]
