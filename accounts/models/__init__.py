from accounts.models.audit import AuditEvent
from accounts.models.devices import CodeRefused, PhoneDevice
from accounts.models.doctors import Doctor, Speciality
from accounts.models.enrolments import Enrolment
from accounts.models.keys import ApiToken, KeptAnswer, MachineClient
from accounts.models.limits import RateLimit
from accounts.models.messages import Message, SmsTemplate
from accounts.models.patients import Patient
from accounts.models.people import NoticeAcceptance, User
from accounts.models.places import District, Facility, Post, State
from accounts.models.sessions import AccountSession

__all__ = [
    "AccountSession",
    "ApiToken",
    "AuditEvent",
    "CodeRefused",
    "District",
    "Doctor",
    "Enrolment",
    "Facility",
    "KeptAnswer",
    "MachineClient",
    "Message",
    "NoticeAcceptance",
    "Patient",
    "PhoneDevice",
    "Post",
    "RateLimit",
    "SmsTemplate",
    "Speciality",
    "State",
    "User",
]
