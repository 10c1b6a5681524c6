"""URLs of search, Ask, look-backs and check-ins. Queries and questions are sent by POST, never in a URL."""

from django.urls import path

from search import views
from search.ask import views as ask_views
from search.checkins import views as check_in_views
from search.look_backs import views as look_back_views

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
    path("look-back/", look_back_views.look_backs, name="look_backs"),
    path("look-back/week/<day:day>/", look_back_views.look_back_week, name="look_back_week"),
    path("look-back/month/<month:month>/", look_back_views.look_back_month, name="look_back_month"),
    path("look-back/<uuid:look_back_id>/stop/", look_back_views.stop, name="look_back_stop"),
    path("look-back/<uuid:look_back_id>/delete/", look_back_views.delete, name="look_back_delete"),
    path("check-ins/", check_in_views.check_ins, name="check_ins"),
    path("check-ins/pause/", check_in_views.pause, name="check_ins_pause"),
    path("check-ins/resume/", check_in_views.resume, name="check_ins_resume"),
    path("check-ins/now/", check_in_views.check_in_now, name="check_in_now"),
    path(
        "check-ins/proposals/<uuid:proposal_id>/entry/", check_in_views.accept_as_entry, name="check_in_entry"
    ),
    path("check-ins/proposals/<uuid:proposal_id>/fact/", check_in_views.accept_as_fact, name="check_in_fact"),
    path("check-ins/proposals/<uuid:proposal_id>/done/", check_in_views.finish_request, name="check_in_done"),
    path("check-ins/proposals/<uuid:proposal_id>/dismiss/", check_in_views.dismiss, name="check_in_dismiss"),
    path("ask/<uuid:session_id>/delete/", ask_views.delete, name="conversation_delete"),
]
