"""URLs with which a person claims an entry as their own ("This is mine"), or undoes that."""

from django.urls import path

from diary.origins import views

urlpatterns = [
    path("entries/<uuid:entry_id>/mine/", views.claim, name="entry_claim"),
    path("entries/<uuid:entry_id>/not-mine/", views.unclaim, name="entry_unclaim"),
    path("imports/", views.imports, name="imports"),
    path("imports/<uuid:import_id>/", views.claim_import, name="import_claim"),
    path("imports/<uuid:import_id>/undo/", views.unclaim_import, name="import_unclaim"),
]
