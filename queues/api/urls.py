from django.urls import path

from queues.api import clinics, duty

app_name = "queue_api"
urlpatterns = [
    path("clinics/", clinics.Clinics.as_view(), name="clinics"),
    path("duty/", duty.Duties.as_view(), name="duty"),
    path("duty/clinics/", duty.MayStart.as_view(), name="may_start"),
    path("duty/pause/", duty.Pause.as_view(), name="pause"),
    path("duty/resume/", duty.Resume.as_view(), name="resume"),
    path("duty/end/", duty.End.as_view(), name="end"),
]
