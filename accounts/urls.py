from django.urls import path

from accounts.views import patients, signing_in, staff

app_name = "accounts"
urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign_in"),
    path("sign-in/code/", signing_in.code, name="code"),
    path("sign-in/resend/", signing_in.resend, name="resend"),
    path("sign-out/", signing_in.sign_out, name="sign_out"),
    path("privacy/", signing_in.privacy, name="privacy"),
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.new_patient, name="new_patient"),
    path("patients/districts/", patients.districts, name="districts"),
    path("patients/<uuid:patient>/", patients.edit_patient, name="edit_patient"),
    path("staff/", staff.staff_home, name="staff_home"),
    path("staff/sign-in/", staff.sign_in, name="staff_sign_in"),
    path("staff/second-factor/", staff.second_factor, name="second_factor"),
    path("staff/second-factor/picture.svg", staff.pairing_picture, name="pairing_picture"),
]
