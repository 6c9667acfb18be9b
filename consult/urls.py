from django.urls import include, path, register_converter

from consult.api import talk as api
from consult.links import ShortId
from consult.views import calls, public
from consult.views.centre import after, case, day, patients, send, shared
from consult.views.centre import visit as centre_visit
from consult.views.doctor import care, desk, drugs, elsewhere, handing_on, opinions, room
from consult.views.patient import abdm, booking, refills, visit

register_converter(ShortId, "short")

# A page is found through its folders: the addresses of the others are not tried one by one.
ONE = "consultations/<uuid:consultation>/"

centres_one = [
    path("", centre_visit.visit, name="centre_visit"),
    path("case/", case.case, name="centre_case"),
    path("case/files/", case.add_file, name="centre_add_file"),
    path("case/files/<uuid:attachment>/remove/", case.remove_file, name="centre_remove_file"),
    path("case/discard/", case.discard, name="centre_discard"),
    path("send/", send.send, name="centre_send"),
    path("send-again/", send.send_again, name="centre_send_again"),
    path("reopen/", send.reopen, name="centre_reopen"),
    path("move/", send.move, name="centre_move"),
    path("settle/", day.settle, name="centre_settle"),
    path("others/", day.others, name="centre_others"),
    path("answer/", centre_visit.answer, name="centre_answer"),
    path("take-over/", centre_visit.take_over, name="centre_take_over"),
    path("phone/", centre_visit.phone_in_call, name="centre_phone_in_call"),
    path("leave/", centre_visit.leave, name="centre_leave"),
    path("vitals/", centre_visit.measure, name="centre_measure"),
    path("instructions/<int:instruction>/done/", centre_visit.carry_out, name="centre_carry_out"),
    path("print/", after.print_page, name="centre_print"),
    path("dispense/", after.dispense, name="centre_dispense"),
]

centre_patterns = [
    path("", day.day, name="centre"),
    path("part/", day.day_part, name="centre_part"),
    path("facility/", day.choose_facility, name="choose_facility"),
    path("patients/", patients.find, name="centre_find"),
    path("patients/here/", patients.here, name="centre_here"),
    path("patients/new/", patients.register, name="centre_register"),
    path("patients/<uuid:patient>/", patients.patient, name="centre_patient"),
    path("patients/<uuid:patient>/case/", patients.open_case, name="centre_open"),
    path("abha-code/", shared.code_sheet, name="abha_code_sheet"),
    path("abha-code/code.svg", shared.code_picture, name="abha_code_picture"),
    path("shared/<uuid:shared>/", shared.shared, name="centre_shared"),
    path("follow-ups/<uuid:follow_up>/", after.close_follow_up, name="close_follow_up"),
]

doctors_one = [
    path("", room.room, name="doctors_room"),
    path("save/", room.save, name="save"),
    path("revise/", room.revise, name="revise"),
    path("return/", room.send_back, name="send_back"),
    path("pass/", desk.pass_over, name="pass_over"),
    path("phone/", calls.phone, name="phone"),
    path("text/", calls.in_text, name="in_text"),
    path("put-back/", calls.put_back, name="put_back"),
    path("visit/", care.record_visit, name="record_visit"),
    path("paper/", care.record_paper, name="record_paper"),
    path("emergency/", care.emergency, name="emergency"),
    path("emergency/refer/", care.refer_emergency, name="refer_emergency"),
    path("take/", opinions.take_written, name="take_written"),
    path("opinion/", opinions.specialists_room, name="specialists_room"),
    path("instruct/", handing_on.instruct, name="instruct"),
    path("ask/", handing_on.ask_opinion, name="ask_opinion"),
    path("opinions/<uuid:opinion>/withdraw/", handing_on.withdraw_opinion, name="withdraw_opinion"),
    path("transfer/", handing_on.transfer, name="transfer"),
    path("refer/", handing_on.refer, name="refer"),
    path("elsewhere/", elsewhere.elsewhere, name="elsewhere"),
    path(
        "elsewhere/<uuid:document>/files/<int:number>/",
        elsewhere.enclosed_file,
        name="enclosed_file",
    ),
    path("elsewhere/ask/", elsewhere.ask_elsewhere, name="ask_elsewhere"),
]

doctors_patterns = [
    path("", desk.desk, name="desk"),
    path("call/", desk.call_next, name="call_next"),
    path("own/", desk.own_part, name="desk_own"),
    path("consultations/", room.past, name="doctors_past"),
    path("asked/", opinions.asked, name="asked"),
    path("opinions/<uuid:opinion>/join/", opinions.join, name="join"),
    path("refills/<uuid:refill>/", care.take_refill, name="take_refill"),
]

patients_one = [
    path("", visit.visit, name="visit"),
    path("messages/", visit.post_message, name="post_message"),
    path("report/", calls.report, name="report"),
    path("devices/", calls.devices, name="devices"),
    path("ice/", calls.ice, name="ice"),
    path("files/", booking.files, name="files"),
    path("files/<uuid:attachment>/", visit.file, name="file"),
    path("files/<uuid:attachment>/remove/", booking.remove_file, name="remove_file"),
    path("confirm/", booking.confirm, name="confirm"),
    path("discard/", booking.discard, name="discard"),
    path("answer/", visit.answer, name="answer"),
    path("leave/", visit.leave, name="leave"),
    path("prescription.pdf", visit.prescription_pdf, name="prescription_pdf"),
    path("letters/<uuid:referral>.pdf", handing_on.letter, name="letter"),
    path("feedback/", visit.feedback, name="feedback"),
    path("refill/", refills.ask, name="ask_refill"),
    path("abha-link/", abdm.link, name="abha_link"),
]

network_patterns = [
    path("", abdm.network, name="network"),
    path("code/", abdm.ask_code, name="abha_code"),
    path("verify/", abdm.verify, name="abha_verify"),
]

# In the session of a page; the rest of the API is in consult/api/urls.py.
api_patterns = [
    path("drugs/typed/", drugs.drugs_typed, name="drugs"),
    path(f"{ONE}messages/", api.Messages.as_view(), name="messages"),
]

app_name = "consult"
urlpatterns = [
    path(f"centre/{ONE}", include(centres_one)),
    path("centre/", include(centre_patterns)),
    path(f"doctor/{ONE}", include(doctors_one)),
    path("doctor/", include(doctors_patterns)),
    path(ONE, include(patients_one)),
    path("api/v1/", include(api_patterns)),
    path("consultations/", visit.consultations, name="consultations"),
    path("patients/<uuid:patient>/abha/", include(network_patterns)),
    path("book/", booking.book, name="book"),
    path("book/<uuid:patient>/<uuid:clinic>/", booking.case, name="case"),
    path("refills/<uuid:refill>/withdraw/", refills.withdraw, name="withdraw_refill"),
    path("r/<short:consultation>", visit.short_link, name="short_link"),
    path("check/", public.check, name="check"),
    path("check/keys.json", public.keys, name="check_keys"),
    path("check/<slug:code>/", public.checked, name="checked"),
    path("check/<slug:code>", public.checked),
    path("grievance/", public.grievance, name="grievance"),
]
