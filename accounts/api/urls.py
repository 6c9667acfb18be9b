from django.urls import path

from accounts.api import patients, signing_in

app_name = "accounts_api"
urlpatterns = [
    path("sign-in/code/", signing_in.Code.as_view(), name="code"),
    path("sign-in/", signing_in.SignIn.as_view(), name="sign_in"),
    path("sign-in/staff/", signing_in.StaffSignIn.as_view(), name="staff_sign_in"),
    path("sign-out/", signing_in.SignOut.as_view(), name="sign_out"),
    path("me/", signing_in.Me.as_view(), name="me"),
    path("notice/", signing_in.Notice.as_view(), name="notice"),
    path("devices/", signing_in.Devices.as_view(), name="devices"),
    path("devices/<uuid:device>/", signing_in.Device.as_view(), name="device"),
    path("states/", patients.States.as_view(), name="states"),
    path("states/<int:state>/districts/", patients.Districts.as_view(), name="districts"),
    path("patients/", patients.Patients.as_view(), name="patients"),
    path("patients/<uuid:patient>/", patients.OnePatient.as_view(), name="patient"),
]
