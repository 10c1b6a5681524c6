"""The live socket: one per tab."""

from django.urls import path

from diary.consumers import LiveConsumer

websocket_urlpatterns = [path("live/", LiveConsumer.as_asgi())]
