"""The addresses of traces; none of them ever holds a name."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
