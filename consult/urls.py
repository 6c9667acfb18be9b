from django.urls import path, register_converter

from consult import api, api_drugs
from consult.links import ShortId
from consult.views import booking, care, doctor, public, refills, visit

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
    path("consultations/<uuid:consultation>/messages/", visit.post_message, name="post_message"),
    path(
        "consultations/<uuid:consultation>/prescription.pdf",
        visit.prescription_pdf,
        name="prescription_pdf",
    ),
    path("consultations/<uuid:consultation>/feedback/", visit.feedback, name="feedback"),
    path("consultations/<uuid:consultation>/refill/", refills.ask, name="ask_refill"),
    path("refills/<uuid:refill>/withdraw/", refills.withdraw, name="withdraw_refill"),
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
    path("doctor/consultations/<uuid:consultation>/rules/", care.rules_part, name="rules_part"),
    path("doctor/consultations/<uuid:consultation>/visit/", care.record_visit, name="record_visit"),
    path("doctor/consultations/<uuid:consultation>/paper/", care.record_paper, name="record_paper"),
    path("doctor/consultations/<uuid:consultation>/emergency/", care.emergency, name="emergency"),
    path(
        "doctor/consultations/<uuid:consultation>/emergency/refer/",
        care.refer_emergency,
        name="refer_emergency",
    ),
    path("doctor/refills/<uuid:refill>/", care.take_refill, name="take_refill"),
    path("api/v1/drugs/", api_drugs.DrugSearch.as_view(), name="drugs"),
    path("check/keys.json", public.keys, name="check_keys"),
    path(
        "api/v1/consultations/<uuid:consultation>/messages/",
        api.Messages.as_view(),
        name="messages",
    ),
]
