"""The admin: texts of messages, and complaints."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, SmsTemplate
from accounts.seeding import seed
from tests.admin.acting import page, refused_fields
from tests.admin.rows import make_grievance

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text", ["Code {cod}", "Code {code", "Code {}", "Code {0}", "Code {code.x}", "{code!z}"]
)
def test_a_text_that_cannot_be_filled_is_refused(boss_client, text):
    seed()
    template = SmsTemplate.objects.get(key="otp", language="en")
    response = boss_client.post(page(template), {"text": text, "header": "", "dlt_id": ""})
    assert refused_fields(response).keys() == {"text"}


def test_an_operator_writes_the_registered_text(boss_client):
    seed()
    template = SmsTemplate.objects.get(key="otp", language="en")
    data = {"text": "OTP {code}", "header": "ESANJV", "dlt_id": "1" * 19}
    assert boss_client.post(page(template), data).status_code == 302
    template.refresh_from_db()
    assert (template.text, template.dlt_id, template.key) == ("OTP {code}", "1" * 19, "otp")


def test_a_text_for_a_message_that_is_never_sent_is_refused(boss_client):
    data = {"key": "advert", "language": "en", "text": "Buy!", "header": "", "dlt_id": ""}
    response = boss_client.post("/admin/accounts/smstemplate/add/", data)
    assert refused_fields(response).keys() == {"key"}


def test_a_grievance_is_answered_and_keeps_its_words(boss_client, boss):
    grievance = make_grievance()
    data = {"state": "answered", "answer": "We added a doctor.", "words": "All was well."}
    assert boss_client.post(page(grievance), data).status_code == 302
    grievance.refresh_from_db()
    assert (grievance.words, grievance.answer) == ("I waited two hours.", "We added a doctor.")
    assert grievance.answered_at is not None
    assert AuditEvent.objects.filter(action="grievance.answer", by=boss).exists()


def test_a_grievance_that_is_opened_again_has_no_time_of_answer(boss_client):
    grievance = make_grievance(state="answered", answer="Yes", answered_at=timezone.now())
    boss_client.post(page(grievance), {"state": "looking", "answer": "Yes"})
    grievance.refresh_from_db()
    assert grievance.answered_at is None


def test_a_grievance_is_not_answered_without_words(boss_client):
    response = boss_client.post(page(make_grievance()), {"state": "answered", "answer": " "})
    assert refused_fields(response).keys() == {"answer"}
