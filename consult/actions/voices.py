"""What people say of the service: stars and complaints."""

from django.db import transaction

from accounts.actions import record
from accounts.models import User
from consult.models import Consultation, Feedback, Grievance


@transaction.atomic
def give_feedback(*, consultation: Consultation, by: User, stars: int, words: str) -> Feedback:
    """Keep the patient's stars and words; sending again replaces them."""
    feedback, _created = Feedback.objects.update_or_create(
        consultation=consultation, defaults={"stars": stars, "words": words}
    )
    record("feedback.give", consultation, by=by, patient=consultation.patient)
    return feedback


@transaction.atomic
def complain(*, grievance: Grievance, by: User | None) -> Grievance:
    """Keep a grievance, with or without an account behind it."""
    grievance.by = by
    grievance.save(force_insert=True)
    record("grievance.file", f"grievance:{grievance.number}", by=by)
    return grievance
