from django.urls import path, register_converter

from consult import api
from consult.links import ShortId
from consult.views import booking, calls, doctor, public, visit

register_converter(ShortId, "short")

app_name = "consult"
urlpatterns = [
    path("book/", booking.book, name="book"),
    path("book/<uuid:patient>/<uuid:clinic>/", booking.case, name="case"),
    path("consultations/", visit.consultations, name="consultations"),
    path("consultations/<uuid:consultation>/", visit.visit, name="visit"),
    path("consultations/<uuid:consultation>/files/", booking.files, name="files"),
    path("consultations/<uuid:consultation>/files/<uuid:attachment>/", visit.file, name="file"),
    path(
        "consultations/<uuid:consultation>/files/<uuid:attachment>/remove/",
        booking.remove_file,
        name="remove_file",
    ),
    path("consultations/<uuid:consultation>/confirm/", booking.confirm, name="confirm"),
    path("consultations/<uuid:consultation>/discard/", booking.discard, name="discard"),
    path("consultations/<uuid:consultation>/answer/", visit.answer, name="answer"),
    path("consultations/<uuid:consultation>/leave/", visit.leave, name="leave"),
    path("consultations/<uuid:consultation>/devices/", calls.devices, name="devices"),
    path("consultations/<uuid:consultation>/ice/", calls.ice, name="ice"),
    path("consultations/<uuid:consultation>/flow/", calls.flow, name="flow"),
    path("consultations/<uuid:consultation>/report/", calls.report, name="report"),
    path("consultations/<uuid:consultation>/messages/", visit.post_message, name="post_message"),
    path(
        "consultations/<uuid:consultation>/prescription.pdf",
        visit.prescription_pdf,
        name="prescription_pdf",
    ),
    path("consultations/<uuid:consultation>/feedback/", visit.feedback, name="feedback"),
    path("r/<short:consultation>", visit.short_link, name="short_link"),
    path("check/", public.check, name="check"),
    path("check/<slug:code>/", public.checked, name="checked"),
    path("check/<slug:code>", public.checked),
    path("grievance/", public.grievance, name="grievance"),
    path("doctor/call/", doctor.call_next, name="call_next"),
    path("doctor/consultations/", doctor.past, name="doctors_past"),
    path("doctor/consultations/<uuid:consultation>/", doctor.room, name="doctors_room"),
    path("doctor/consultations/<uuid:consultation>/save/", doctor.save, name="save"),
    path("doctor/consultations/<uuid:consultation>/revise/", doctor.revise, name="revise"),
    path("doctor/consultations/<uuid:consultation>/return/", doctor.send_back, name="send_back"),
    path("doctor/consultations/<uuid:consultation>/pass/", doctor.pass_over, name="pass_over"),
    path("doctor/consultations/<uuid:consultation>/phone/", calls.phone, name="phone"),
    path("doctor/consultations/<uuid:consultation>/text/", calls.in_text, name="in_text"),
    path("doctor/consultations/<uuid:consultation>/put-back/", calls.put_back, name="put_back"),
    path(
        "api/v1/consultations/<uuid:consultation>/messages/",
        api.Messages.as_view(),
        name="messages",
    ),
]
