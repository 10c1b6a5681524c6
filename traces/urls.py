"""URLs of traces and facts. They contain ids, but never a name."""

from django.urls import path, register_converter

from traces.converters import IdsConverter
from traces.detail import views as detail_views
from traces.editing import views as editing_views
from traces.facts.pages import claim_views as facts_claim_views
from traces.facts.pages import list_views as facts_list_views
from traces.facts.pages import settings_views as facts_settings_views
from traces.facts.pages import views as facts_views
from traces.facts.proposals import views as proposals_views
from traces.index import views as index_views
from traces.tagging import views as tagging_views

register_converter(IdsConverter, "ids")

urlpatterns = [
    path("entries/<uuid:entry_id>/traces/", tagging_views.entry_traces, name="entry_traces"),
    path("entries/<uuid:entry_id>/traces/keep/", tagging_views.add, name="trace_add"),
    path("entries/<uuid:entry_id>/traces/dismiss/", tagging_views.dismiss, name="trace_dismiss"),
    path("entries/<uuid:entry_id>/traces/propose/", tagging_views.propose, name="trace_propose"),
    path("entries/<uuid:entry_id>/traces/complete/", tagging_views.complete, name="trace_complete"),
    path("entries/<uuid:entry_id>/traces/<uuid:trace_id>/remove/", tagging_views.remove, name="trace_remove"),
    path("entries/<uuid:entry_id>/facts/find/", proposals_views.find_facts, name="find_facts"),
    path("facts/going-through/", proposals_views.show_diary_walk, name="diary_walk"),
    path("facts/going-through/start/", proposals_views.start_diary_walk, name="start_diary_walk"),
    path("facts/going-through/stop/", proposals_views.stop_diary_walk, name="stop_diary_walk"),
    path("traces/<uuid:trace_id>/glance/", tagging_views.preview, name="trace_preview"),
    path("traces/", index_views.index, name="traces"),
    path("traces/picture/", index_views.graph, name="traces_graph"),
    path("traces/changes/<uuid:change_id>/undo/", editing_views.undo, name="trace_undo"),
    path("traces/<uuid:trace_id>/", detail_views.trace, name="trace"),
    path("traces/<uuid:trace_id>/in/<year:year>/", detail_views.trace, name="trace_in_year"),
    path("traces/<uuid:trace_id>/with/<ids:others>/", detail_views.trace, name="traces_together"),
    path(
        "traces/<uuid:trace_id>/with/<ids:others>/in/<year:year>/",
        detail_views.trace,
        name="traces_together_in_year",
    ),
    path("traces/<uuid:trace_id>/summary/", detail_views.summary, name="trace_summary"),
    path("traces/<uuid:trace_id>/rename/", editing_views.rename, name="trace_rename"),
    path("traces/<uuid:trace_id>/merge/", editing_views.merge, name="trace_merge"),
    path("traces/<uuid:trace_id>/delete/", editing_views.delete, name="trace_delete"),
    path("traces/<uuid:trace_id>/always/", editing_views.set_read_always, name="trace_read_always"),
    path("facts/", facts_list_views.facts, name="facts"),
    path("facts/settings/", facts_settings_views.fact_settings, name="fact_settings"),
    path("facts/export/", facts_settings_views.export_facts, name="facts_export"),
    path("facts/import/", facts_settings_views.import_facts, name="facts_import"),
    path("facts/mine/", facts_claim_views.claim_shown, name="facts_claim"),
    path("facts/mine/<uuid:fact_claim_id>/undo/", facts_claim_views.unclaim_shown, name="facts_unclaim"),
    path("facts/add/", facts_list_views.add, name="fact_add"),
    path("facts/<uuid:fact_id>/", facts_views.fact, name="fact"),
    path("facts/<uuid:fact_id>/accept/", facts_views.accept, name="fact_accept"),
    path("facts/<uuid:fact_id>/decline/", facts_views.decline, name="fact_decline"),
    path("facts/<uuid:fact_id>/correct/", facts_views.correct, name="fact_correct"),
    path("facts/<uuid:fact_id>/change/", facts_views.change, name="fact_change"),
    path("facts/<uuid:fact_id>/reading/", facts_views.choose_recall, name="fact_reading"),
    path("facts/<uuid:fact_id>/mine/", facts_views.claim, name="fact_claim"),
    path("facts/<uuid:fact_id>/undo/", facts_views.undo, name="fact_undo"),
    path("facts/<uuid:fact_id>/forget/", facts_views.forget, name="fact_forget"),
]
