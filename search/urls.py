"""The addresses of search; none of them ever holds a query."""

from django.urls import path

from search import views

urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/box/", views.box, name="search_box"),
    path("search/place/", views.place, name="search_place"),
    path("search/recent/", views.recent, name="search_recent"),
    path("search/for-answers/", views.for_answers, name="search_for_answers"),
    path("search/anew/", views.reindex, name="search_anew"),
]
