"""The URL of a day's recap, a summary that the language model writes about a past day."""

from django.urls import path

from diary.recaps import views

urlpatterns = [path("d/<day:day>/recap/", views.recap, name="recap")]
