"""What a prescription costs: the search at 5,000 generics, the PDF on one core, issue to download."""

import time
from collections.abc import Iterator
from statistics import median, quantiles

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bench import rows
from bench.asking import Ask, csrf_of
from bench.client import Connection, Unexpected, Wanted, drive
from bench.services import Site, pdf_worker
from bench.summary import Figure
from consult import actions
from consult.actions import Line
from consult.actions.formulary import apply_rows
from consult.models import Consultation, Prescription
from consult.pdf import Paper, render_pdf
from consult.signing import sign_pdf

GENERICS = 5_000
SEARCHES = 400
PDFS = 60
ISSUES = 20
PATIENCE = 30  # seconds until a PDF must be there
STARTS_WITHIN = 120  # seconds for the first one: the worker is still starting
TYPED = ["par", "amox", "met", "salb", "zzz", "cet", "vit", "ol", "gene 49", "in", "a"]
LINES = [
    Line("Paracetamol", "tablet", "500 mg", "1-1-1", "tds", 3, "after food"),
    Line("Zinc sulfate", "syrup", "20 mg/5 ml", "5 ml", "od", 14),
    Line("Folic acid", "tablet", "5 mg", "1-0-0", "od", 30),
    Line("Oral rehydration salts", "sachet", "20.5 g", "one glass", "sos", 3),
    Line("Guaifenesin", "syrup", "100 mg/5 ml", "10 ml", "qid", 5),
]


def print_figures(site: Site) -> Iterator[Figure]:
    """Raises Unexpected."""
    csrf = csrf_of(site.address)
    words, figure = _search(site, csrf)
    print(f"\nPrescriptions\n{words}", flush=True)
    yield figure
    words, figure = _pdfs()
    print(words, flush=True)
    yield figure
    with pdf_worker(site):
        print(_issue_to_download(site, csrf), flush=True)


def _search(site: Site, csrf: str) -> tuple[str, Figure]:
    """One client after the other, over HTTP, as a doctor who types."""
    rule = {"list": "O", "use": "first", "source": "bench", "effective_from": "2026-01-01"}
    shape = {"form": "tablet", "strength": "5 mg", "route": "oral"}
    apply_rows(
        [{"generic": f"Generic {n} of the bench", **rule, **shape} for n in range(GENERICS)],
        change=None,
    )
    rows.analyse()
    (clinic,) = rows.clinics(1)
    (key,) = rows.doctors_sessions(rows.doctors(clinic, 1))
    path = reverse("consult:drugs")
    asks = [
        Ask(f"{path}?q={words.replace(' ', '+')}", None, {"sessionid": key})
        for words in [*TYPED, *(f"generic {n}" for n in range(SEARCHES))]  # none is kept already
    ]
    # As fetch() asks, not as a page that is opened.
    requests = [
        ask.bytes(site.host, csrf).replace(b"text/html,application/xhtml+xml", b"*/*")
        for ask in asks
    ]
    driven = drive(site.address, requests, Wanted(200), seconds=60, clients=1)
    cuts = quantiles(driven.latencies, n=100)
    return (
        f"  drug search at {GENERICS} more generics, one client: p50 {cuts[49] * 1000:.1f} ms, "
        f"p95 {cuts[94] * 1000:.1f} ms, longest {max(driven.latencies) * 1000:.1f} ms (aim 50)"
    ), Figure("drug search, p95", cuts[94] * 1000, 50, "ms")


def _pdfs() -> tuple[str, Figure]:
    """CPU of one process; each document another one, in English and Hindi by turns."""
    papers = list(issued(PDFS, "hi"))
    render_pdf(papers.pop())  # the compiler and its fonts are loaded once per process
    drawn = []
    costs: dict[str, list[float]] = {"A4": [], "A5": [], "signature": []}
    for prescription in papers:
        for paper in Paper:
            begun = time.process_time()
            drawn.append(render_pdf(prescription, paper))
            costs[paper.name].append(time.process_time() - begun)
        begun = time.process_time()
        sign_pdf(drawn[-1], name="Dr Raghav Rao", reason=prescription.number)
        costs["signature"].append(time.process_time() - begun)
    ms = {name: median(spent) * 1000 for name, spent in costs.items()}
    return (
        f"  PDF, 5 medicines, English and Hindi: A4 {ms['A4']:.1f} ms of CPU, A5 {ms['A5']:.1f} "
        f"(aim 25), its signature {ms['signature']:.1f}\n"
        f"  on one core: {1000 / ms['A4']:.0f} PDFs a second, "
        f"signed {1000 / (ms['A4'] + ms['signature']):.0f}"
    ), Figure("PDF of 5 medicines: CPU", ms["A4"], 25, "ms")


def issued(how_many: int, language: str) -> Iterator[Prescription]:
    for consultation in in_progress(how_many, language):
        actions.save_lines(consultation=consultation, lines=LINES, by=consultation.doctor.user)
        yield actions.issue_prescription(consultation=consultation, doctor=consultation.doctor)


@transaction.atomic
def in_progress(how_many: int, language: str = "en") -> list[Consultation]:
    """Consultations in writing, each with a doctor of its own, diagnosed and with nothing prescribed."""
    (clinic,) = rows.clinics(1)
    people, doctors = rows.patients(rows.users(how_many)), rows.doctors(clinic, how_many)
    made = []
    for patient, doctor in zip(people, doctors, strict=True):
        patient.language = language
        patient.save(update_fields=["language"])
        made.append(
            Consultation.objects.create(
                patient=patient,
                clinic=clinic,
                doctor=doctor,
                complaint="Fever",
                since="days",
                is_written=True,
                state=Consultation.State.IN_PROGRESS,
                requested_at=timezone.now(),
                started_at=timezone.now(),
            )
        )
        actions.save_note(consultation=made[-1], by=doctor.user, diagnosis="Viral fever")
    return made


def _issue_to_download(site: Site, csrf: str) -> str:
    """From the press of the button until the patient has the whole signed file, one after the other."""
    consultations = in_progress(ISSUES + 1)
    desks = rows.doctors_sessions([one.doctor for one in consultations])
    phones = rows.sessions([one.patient.account for one in consultations])
    connection = Connection(site.address)
    first, *others = zip(consultations, desks, phones, strict=True)
    _once(connection, site.host, csrf, first, patience=STARTS_WITHIN)
    took = [_once(connection, site.host, csrf, other) for other in others]
    connection.close()
    return (
        f"  issue to download, one after the other: median {median(took) * 1000:.0f} ms, "
        f"longest {max(took) * 1000:.0f} ms (of {ISSUES})"
    )


def _once(
    connection: Connection,
    host: str,
    csrf: str,
    case: tuple[Consultation, str, str],
    patience: float = PATIENCE,
) -> float:
    """`case`: the consultation, and the sessions of its doctor and its patient."""
    consultation, desk, phone = case
    form = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "diagnosis": "Viral fever"}
    form |= {
        "lines-0-generic": "Paracetamol", "lines-0-form": "tablet", "lines-0-strength": "500 mg",
        "lines-0-dose": "1-0-1", "lines-0-days": "3", "issue": "1",
    }  # fmt: skip
    save = Ask(reverse("consult:save", args=[consultation.uid]), form, {"sessionid": desk})
    pdf = Ask(
        reverse("consult:prescription_pdf", args=[consultation.uid]), None, {"sessionid": phone}
    )
    begun = time.perf_counter()
    answer = connection.ask(save.bytes(host, csrf))
    if answer.status != 302:
        raise Unexpected(f"Not issued: {answer.status}\n{answer.body[:2000].decode()}")
    while time.perf_counter() - begun < patience:
        answer = connection.ask(pdf.bytes(host, csrf))
        if answer.status == 200 and answer.body.startswith(b"%PDF"):
            return time.perf_counter() - begun
        time.sleep(0.01)
    raise Unexpected(f"No PDF within {patience} s: {answer.status}")
