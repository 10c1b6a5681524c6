"""URLs of search; none of them contains a query."""

from django.urls import path

from search import views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/box/", views.box, name="search_box"),
    path("search/place/", views.marks, name="search_marks"),
    path("search/recent/", views.recent, name="search_recent"),
    path("search/anew/", views.rebuild, name="search_rebuild"),
]
