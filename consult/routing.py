from django.urls import path

from consult.centre_page import CentrePage
from consult.consultation_page import ConsultationPage
from consult.desk_page import DeskPage

websocket_urlpatterns = [
    path("ws/consultations/<uuid:consultation>/", ConsultationPage.as_asgi()),
    path("ws/desk/", DeskPage.as_asgi()),
    path("ws/centre/", CentrePage.as_asgi()),
]
