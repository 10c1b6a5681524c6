"""URLs of notes. They do not contain the names of notes, since a browser's history stores URLs."""

from django.urls import path

from diary.notes import views
from diary.notes.claims import views as claim_views
from diary.notes.workspace import views as workspace_views

urlpatterns = [
    path("notes/", views.notes, name="notes"),
    path("notes/import/", workspace_views.import_notes, name="notes_import"),
    path("notes/imports/<uuid:note_group_id>/", claim_views.claim_group, name="note_group"),
    path("notes/imports/<uuid:note_group_id>/undo/", claim_views.unclaim_group, name="note_group_undo"),
    path("notes/new/<slug:kind>/", views.add, name="note_add"),
    path("notes/new/<slug:kind>/draft/", views.save_new_draft, name="note_add_draft"),
    path("notes/new/<slug:kind>/discard/", views.discard_new_draft, name="note_add_discard"),
    path("notes/versions/<uuid:note_version_id>/restore/", views.restore, name="note_version_restore"),
    path("notes/<uuid:note_id>/", views.note, name="note"),
    path("notes/<uuid:note_id>/edit/", views.edit, name="note_edit"),
    path("notes/<uuid:note_id>/draft/", views.save_draft, name="note_draft"),
    path("notes/<uuid:note_id>/discard/", views.discard_draft, name="note_discard"),
    path("notes/<uuid:note_id>/rename/", views.rename, name="note_rename"),
    path("notes/<uuid:note_id>/versions/", views.versions, name="note_versions"),
    path("notes/<uuid:note_id>/approve/", views.approve, name="note_approve"),
    path("notes/<uuid:note_id>/mine/", views.claim, name="note_claim"),
    path("notes/<uuid:note_id>/not-mine/", views.unclaim, name="note_unclaim"),
    path("notes/<uuid:note_id>/delete/", views.delete, name="note_delete"),
]
