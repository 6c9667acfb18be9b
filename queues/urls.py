from django.urls import path

from queues.views import clinics, desk

app_name = "queue"
urlpatterns = [
    path("book/<uuid:patient>/", clinics.clinics, name="clinics"),
    path("doctor/duty/start/", desk.start_duty, name="start_duty"),
    path("doctor/duty/pause/", desk.pause_duty, name="pause_duty"),
    path("doctor/duty/resume/", desk.resume_duty, name="resume_duty"),
    path("doctor/duty/end/", desk.end_duty, name="end_duty"),
]
