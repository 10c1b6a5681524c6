"""URLs of search. The searched words are sent in the body of a POST, never in a URL."""

from django.urls import path

from search import views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/box/", views.box, name="search_box"),
    path("search/place/", views.marks, name="search_marks"),
    path("search/recent/", views.recent, name="search_recent"),
    path("search/anew/", views.rebuild, name="search_rebuild"),
]
