"""URLs of search and Ask. Searched words and questions are sent in the body of a POST, never in a URL."""

from django.urls import path

from search import views
from search.ask import views as ask_views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/box/", views.box, name="search_box"),
    path("search/place/", views.marks, name="search_marks"),
    path("search/recent/", views.recent, name="search_recent"),
    path("search/anew/", views.rebuild, name="search_rebuild"),
    path("ask/", ask_views.ask, name="ask"),
    path("ask/<uuid:session_id>/", ask_views.conversation, name="conversation"),
    path("ask/<uuid:session_id>/name/", ask_views.rename, name="conversation_name"),
    path("ask/answers/<uuid:question_id>/stop/", ask_views.stop, name="answer_stop"),
    path("ask/<uuid:session_id>/delete/", ask_views.delete, name="conversation_delete"),
]
