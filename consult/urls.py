from django.urls import path, register_converter

from consult import api_drugs
from consult.api import talk as api
from consult.links import ShortId
from consult.views import (
    abdm,
    booking,
    calls,
    care,
    desk,
    doctor,
    elsewhere,
    handing_on,
    opinions,
    public,
    refills,
    visit,
)
from consult.views.centre import after, case, day, patients, send, shared
from consult.views.centre import visit as centre_visit

register_converter(ShortId, "short")

CONSULTATION = "centre/consultations/<uuid:consultation>/"

centre_patterns = [
    path("centre/", day.day, name="centre"),
    path("centre/part/", day.day_part, name="centre_part"),
    path("centre/facility/", day.choose_facility, name="choose_facility"),
    path("centre/patients/", patients.find, name="centre_find"),
    path("centre/patients/here/", patients.here, name="centre_here"),
    path("centre/patients/new/", patients.register, name="centre_register"),
    path("centre/patients/<uuid:patient>/", patients.patient, name="centre_patient"),
    path("centre/patients/<uuid:patient>/case/", patients.open_case, name="centre_open"),
    path("centre/abha-code/", shared.code_sheet, name="abha_code_sheet"),
    path("centre/abha-code/code.svg", shared.code_picture, name="abha_code_picture"),
    path("centre/shared/<uuid:shared>/", shared.shared, name="centre_shared"),
    path("centre/follow-ups/<uuid:follow_up>/", after.close_follow_up, name="close_follow_up"),
    path(f"{CONSULTATION}case/", case.case, name="centre_case"),
    path(f"{CONSULTATION}case/files/", case.add_file, name="centre_add_file"),
    path(
        f"{CONSULTATION}case/files/<uuid:attachment>/remove/",
        case.remove_file,
        name="centre_remove_file",
    ),
    path(f"{CONSULTATION}case/discard/", case.discard, name="centre_discard"),
    path(f"{CONSULTATION}send/", send.send, name="centre_send"),
    path(f"{CONSULTATION}send-again/", send.send_again, name="centre_send_again"),
    path(f"{CONSULTATION}reopen/", send.reopen, name="centre_reopen"),
    path(f"{CONSULTATION}move/", send.move, name="centre_move"),
    path(f"{CONSULTATION}settle/", day.settle, name="centre_settle"),
    path(CONSULTATION, centre_visit.visit, name="centre_visit"),
    path(f"{CONSULTATION}others/", day.others, name="centre_others"),
    path(f"{CONSULTATION}answer/", centre_visit.answer, name="centre_answer"),
    path(f"{CONSULTATION}take-over/", centre_visit.take_over, name="centre_take_over"),
    path(f"{CONSULTATION}phone/", centre_visit.phone_in_call, name="centre_phone_in_call"),
    path(f"{CONSULTATION}leave/", centre_visit.leave, name="centre_leave"),
    path(f"{CONSULTATION}vitals/", centre_visit.measure, name="centre_measure"),
    path(
        f"{CONSULTATION}instructions/<int:instruction>/done/",
        centre_visit.carry_out,
        name="centre_carry_out",
    ),
    path(f"{CONSULTATION}print/", after.print_page, name="centre_print"),
    path(f"{CONSULTATION}dispense/", after.dispense, name="centre_dispense"),
]

ROOM = "doctor/consultations/<uuid:consultation>/"

colleague_patterns = [
    path("doctor/", desk.desk, name="desk"),
    path("doctor/own/", desk.own_part, name="desk_own"),
    path("doctor/asked/", opinions.asked, name="asked"),
    path("doctor/opinions/<uuid:opinion>/join/", opinions.join, name="join"),
    path(f"{ROOM}take/", opinions.take_written, name="take_written"),
    path(f"{ROOM}opinion/", opinions.specialists_room, name="specialists_room"),
    path(f"{ROOM}instruct/", handing_on.instruct, name="instruct"),
    path(f"{ROOM}ask/", handing_on.ask_opinion, name="ask_opinion"),
    path(
        f"{ROOM}opinions/<uuid:opinion>/withdraw/",
        handing_on.withdraw_opinion,
        name="withdraw_opinion",
    ),
    path(f"{ROOM}transfer/", handing_on.transfer, name="transfer"),
    path(f"{ROOM}refer/", handing_on.refer, name="refer"),
    path(
        "consultations/<uuid:consultation>/letters/<uuid:referral>.pdf",
        handing_on.letter,
        name="letter",
    ),
]

network_patterns = [
    path("patients/<uuid:patient>/abha/", abdm.network, name="network"),
    path("patients/<uuid:patient>/abha/code/", abdm.ask_code, name="abha_code"),
    path("patients/<uuid:patient>/abha/verify/", abdm.verify, name="abha_verify"),
    path("consultations/<uuid:consultation>/abha-link/", abdm.link, name="abha_link"),
    path(f"{ROOM}elsewhere/", elsewhere.elsewhere, name="elsewhere"),
    path(
        f"{ROOM}elsewhere/<uuid:document>/files/<int:number>/",
        elsewhere.enclosed_file,
        name="enclosed_file",
    ),
    path(f"{ROOM}elsewhere/ask/", elsewhere.ask_elsewhere, name="ask_elsewhere"),
]

app_name = "consult"
urlpatterns = [
    *network_patterns,
    *centre_patterns,
    *colleague_patterns,
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
    path("consultations/<uuid:consultation>/report/", calls.report, name="report"),
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
    path("doctor/call/", desk.call_next, name="call_next"),
    path("doctor/consultations/", doctor.past, name="doctors_past"),
    path("doctor/consultations/<uuid:consultation>/", doctor.room, name="doctors_room"),
    path("doctor/consultations/<uuid:consultation>/save/", doctor.save, name="save"),
    path("doctor/consultations/<uuid:consultation>/revise/", doctor.revise, name="revise"),
    path("doctor/consultations/<uuid:consultation>/return/", doctor.send_back, name="send_back"),
    path("doctor/consultations/<uuid:consultation>/pass/", desk.pass_over, name="pass_over"),
    path("doctor/consultations/<uuid:consultation>/visit/", care.record_visit, name="record_visit"),
    path("doctor/consultations/<uuid:consultation>/paper/", care.record_paper, name="record_paper"),
    path("doctor/consultations/<uuid:consultation>/emergency/", care.emergency, name="emergency"),
    path(
        "doctor/consultations/<uuid:consultation>/emergency/refer/",
        care.refer_emergency,
        name="refer_emergency",
    ),
    path("doctor/refills/<uuid:refill>/", care.take_refill, name="take_refill"),
    path("api/v1/drugs/typed/", api_drugs.drugs_typed, name="drugs"),
    path("check/keys.json", public.keys, name="check_keys"),
    path("doctor/consultations/<uuid:consultation>/phone/", calls.phone, name="phone"),
    path("doctor/consultations/<uuid:consultation>/text/", calls.in_text, name="in_text"),
    path("doctor/consultations/<uuid:consultation>/put-back/", calls.put_back, name="put_back"),
    path(
        "api/v1/consultations/<uuid:consultation>/messages/",
        api.Messages.as_view(),
        name="messages",
    ),
]
