"""What many consultations of the past leave behind, written by the database itself, and what each weighs."""

from collections.abc import Iterator

from django.db import connection

from bench import rows
from bench.limits.crowd import crowd
from bench.prescriptions import issued
from queues.models import Clinic

DOCTORS = 1_000  # who have served them, by turns
# Rows of one consultation at a health centre, as `make load` leaves them; three medicines.
PER_CONSULTATION = {
    "accounts_auditevent": 42, "accounts_enrolment": 1, "accounts_message": 1,
    "accounts_patient": 0.4, "accounts_user": 0.4, "consult_callevent": 4, "consult_callleg": 2,
    "consult_chatmessage": 4, "consult_consent": 1, "consult_consultation": 1,
    "consult_dispensing": 3, "consult_note": 1, "consult_observation": 5, "consult_prescription": 1,
    "consult_prescriptionline": 3, "queue_presence": 1, "queue_token": 1,
}  # fmt: skip
CONSULTATIONS = [
    """UPDATE queue_token SET state = 'done', doctor_id = %(doctor)s + number %% %(doctors)s,
         called_at = issued_at, answered_at = issued_at, ended_at = issued_at + interval '7 minutes'
       WHERE clinic_id = %(clinic)s""",
    """INSERT INTO consult_consultation (uid, complaint, since, history, family_history, allergies,
         medicines, is_pregnant, is_disabled, examination, impression, is_emergency, phone_centre,
         patient_id, clinic_id, token_id, doctor_id, is_written, revision, state, end_reason, end_words,
         chosen_because, may_phone, video_seconds, sound_seconds, created_at, requested_at,
         started_at, ended_at)
       SELECT gen_random_uuid(), 'Fever and cough for three days', 'days', '', '', 'none',
         'Paracetamol', false, false, '', '', false, false,
         patient_id, clinic_id, id, doctor_id, false, 0, 'completed', '', '',
         '', false, 300, 300, issued_at, issued_at, answered_at, ended_at
       FROM queue_token WHERE clinic_id = %(clinic)s""",
    """INSERT INTO consult_consent (consultation_id, version, language, how, given_at, given_by_id)
       SELECT one.id, '2026-11-23', 'en', 'ticked', one.requested_at, patient.account_id
       FROM consult_consultation one JOIN accounts_patient patient ON patient.id = one.patient_id
       WHERE one.clinic_id = %(clinic)s""",
    """INSERT INTO accounts_auditevent (at, by_id, action, target, patient_id, address, refused)
       SELECT one.requested_at, patient.account_id, 'consultation.request',
         'consultation:' || one.uid, patient.id, '10.0.0.1', false
       FROM consult_consultation one JOIN accounts_patient patient ON patient.id = one.patient_id
       WHERE one.clinic_id = %(clinic)s""",
    """INSERT INTO accounts_message ("to", template_id, text, is_secret, state, created_at, due_at,
         sent_at, attempts, error)
       SELECT '+919876543210', (SELECT MIN(id) FROM accounts_smstemplate),
         'Your token is 12, OPD 3. Your place is kept. See it here: https://example.org/v/abcdefgh',
         false, 'sent', requested_at, requested_at, requested_at, 1, ''
       FROM consult_consultation WHERE clinic_id = %(clinic)s""",
]
# Of every tenth: all of these are found by their consultation, and a row weighs the same.
TENTH = "FROM consult_consultation one WHERE one.clinic_id = %(clinic)s AND one.id %% 10 = 0"
PARTS = [
    f"""INSERT INTO consult_note (consultation_id, findings, diagnosis, icd10, icd10_title,
         is_provisional, tests, advice, red_flags, written_by_id, written_at)
       SELECT id, 'Throat red, lungs clear', 'Viral fever', 'B34.9', 'Viral infection, unspecified',
         false, '', 'Rest and plenty of water', '', %(user)s, ended_at {TENTH}""",
    f"""INSERT INTO consult_prescription (uid, consultation_id, version, state, number, check_code, check_id,
         document, issued_at, issued_by_id, digest, signature, key_id, pdf, pdf_a5)
       SELECT gen_random_uuid(), one.id, 1, 'issued', 'P' || one.id, left(md5(one.id::text), 12),
         left(md5(one.uid::text), 22), document, issued_at, issued_by_id, digest, signature, key_id,
         'prescriptions/' || one.uid || '-a4.pdf', 'prescriptions/' || one.uid || '-a5.pdf'
       {TENTH.replace("WHERE", ", consult_prescription paper WHERE paper.id = %(paper)s AND")}""",
    """INSERT INTO consult_prescriptionline (prescription_id, position, generic, form, strength, dose,
         frequency, days, quantity, instructions)
       SELECT paper.id, line.position, generic, form, strength, dose, frequency, days, quantity,
         instructions
       FROM consult_prescription paper, consult_prescriptionline line
       WHERE line.prescription_id = %(paper)s AND line.position <= 3 AND paper.id > %(paper)s""",
    """INSERT INTO consult_dispensing (line_id, given, words, facility_id, dispensed_at,
         dispensed_by_id)
       SELECT id, 'given', '', 1, now(), %(user)s FROM consult_prescriptionline
       WHERE prescription_id > %(paper)s""",
    f"""INSERT INTO consult_chatmessage (consultation_id, author_id, client_id, text, created_at)
       SELECT id, %(user)s, gen_random_uuid(), 'Since when do you have it, and is it worse at night?',
         ended_at {TENTH}""",
    f"""INSERT INTO consult_callevent (consultation_id, at, by_id, role, page, what)
       SELECT id, ended_at, %(user)s, 'doctor', left(md5(id::text), 16), 'joined' {TENTH}""",
    f"""INSERT INTO consult_callleg (consultation_id, by_id, role, page, other, video_seconds,
         sound_seconds, reported_at)
       SELECT id, %(user)s, 'doctor', left(md5(id::text), 16), 'health_worker', 300, 300, ended_at
       {TENTH}""",
    f"""INSERT INTO consult_observation (consultation_id, patient_id, kind, value, loinc, unit, taken_at,
         taken_by_id)
       SELECT id, patient_id, 'temperature', 38.4, '61008-9', 'Cel', ended_at, %(user)s {TENTH}""",
    f"""INSERT INTO accounts_enrolment (patient_id, facility_id, enrolled_at, enrolled_by_id)
       SELECT patient_id, 1, ended_at, %(user)s {TENTH}""",
]


def serve(clinic: Clinic, how_many: int) -> None:
    """So many were served in `clinic` today. Raises CannotStart."""
    (paper,) = issued(1, "en")
    crowd(clinic, how_many)
    doctors = rows.doctors(clinic, DOCTORS)
    ids = {
        "clinic": clinic.pk, "doctor": doctors[0].pk, "doctors": DOCTORS,
        "user": doctors[0].user_id, "paper": paper.pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # as crowd()
        for statement in [*CONSULTATIONS, *PARTS]:
            cursor.execute(statement, ids)
        cursor.execute("SET session_replication_role = DEFAULT")


def weights() -> Iterator[str]:
    """Bytes of one row, with the share of each index, and of one consultation."""
    yield "| table | rows | bytes a row | of them indexes | rows a consultation | its bytes |"
    yield "|---|--:|--:|--:|--:|--:|"
    total = 0.0
    for table, of_one in PER_CONSULTATION.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT COUNT(*), pg_total_relation_size('{table}'), pg_indexes_size('{table}')"
                f" FROM {table}"
            )
            there, size, indexes = cursor.fetchone()
        each = size / max(there, 1)
        total += each * of_one
        yield (
            f"| {table} | {there:,} | {each:.0f} | {indexes / max(there, 1):.0f} |"
            f" {of_one:g} | {each * of_one:,.0f} |"
        )
    yield f"| together | | | | {sum(PER_CONSULTATION.values()):g} | {total:,.0f} |"
