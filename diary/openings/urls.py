"""URLs of openings, the texts that the language model writes at the top of a day's page.

They generate, replace or dismiss an opening, or show its sources.
"""

from django.urls import path

from diary.openings import views

urlpatterns = [
    path("d/<day:day>/opening/", views.opening, name="opening"),
    path("d/<day:day>/opening/read/", views.prompt_record, name="opening_prompt_record"),
    path("d/<day:day>/opening/dismiss/", views.dismiss, name="opening_dismiss"),
]
