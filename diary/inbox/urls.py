"""URLs of the Inbox, where texts wait for their owner's approval."""

from django.urls import path

from diary.inbox import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/accept/", views.accept_shown, name="inbox_accept_shown"),
    path("inbox/damaged/delete/", views.delete_damaged, name="inbox_damaged_delete"),
    path("inbox/boxes/<uuid:box_id>/delete/", views.delete_unchecked, name="inbox_box_delete"),
    path("inbox/<uuid:item_id>/accept/", views.accept, name="inbox_accept"),
    path("inbox/<uuid:item_id>/delete/", views.delete, name="inbox_delete"),
    path("inbox/<uuid:item_id>/restore/", views.restore, name="inbox_restore"),
]
