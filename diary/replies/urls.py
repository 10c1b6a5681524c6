"""Where replies are asked for, seen, stopped and deleted."""

from django.urls import path

from diary.replies import views, way_views

urlpatterns = [
    path("entries/<uuid:entry_id>/respond/", views.respond, name="respond"),
    path("entries/<uuid:entry_id>/ways/", way_views.ways, name="ways"),
    path("entries/<uuid:entry_id>/ways/<uuid:way_id>/remove/", way_views.remove, name="way_remove"),
    path("replies/<uuid:reply_id>/read/", views.read, name="reply_read"),
    path("replies/<uuid:reply_id>/", views.reply, name="reply"),
    path("replies/<uuid:reply_id>/stop/", views.stop, name="reply_stop"),
    path("replies/<uuid:reply_id>/again/", views.again, name="reply_again"),
    path("replies/<uuid:reply_id>/delete/", views.delete, name="reply_delete"),
]
