"""URLs of recaps."""

from django.urls import path

from diary.recaps import views

urlpatterns = [path("d/<day:day>/recap/", views.recap, name="recap")]
