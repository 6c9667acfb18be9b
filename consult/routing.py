"""The addresses of the sockets of pages."""

from django.urls import path

from consult.live.centre_page import CentrePage
from consult.live.consultation_page import ConsultationPage
from consult.live.desk_page import DeskPage

websocket_urlpatterns = [
    path("ws/consultations/<uuid:consultation>/", ConsultationPage.as_asgi()),
    path("ws/desk/", DeskPage.as_asgi()),
    path("ws/centre/", CentrePage.as_asgi()),
]
