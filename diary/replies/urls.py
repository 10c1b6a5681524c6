"""URLs of the language model's replies, and of the reply styles that a person has added."""

from django.urls import path

from diary.replies import views

urlpatterns = [
    path("entries/<uuid:entry_id>/respond/", views.respond, name="respond"),
    path("entries/<uuid:entry_id>/ways/", views.custom_kinds, name="reply_kinds"),
    path(
        "entries/<uuid:entry_id>/ways/<uuid:kind_id>/remove/",
        views.remove_custom_kind,
        name="reply_kind_delete",
    ),
    path(
        "entries/<uuid:entry_id>/ways/<uuid:kind_id>/mine/",
        views.claim_custom_kind,
        name="reply_kind_claim",
    ),
    path("replies/<uuid:reply_id>/read/", views.prompt_record, name="reply_prompt_record"),
    path("replies/<uuid:reply_id>/", views.reply, name="reply"),
    path("replies/<uuid:reply_id>/stop/", views.stop, name="reply_stop"),
    path("replies/<uuid:reply_id>/again/", views.retry, name="reply_retry"),
    path("replies/<uuid:reply_id>/delete/", views.delete, name="reply_delete"),
]
