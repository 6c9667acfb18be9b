"""One running site for all cases of a module; each case has people of its own."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.factories import a_clinic, a_doctor, a_draft, a_patient, on_duty, the_formulary
from tests.faults.crowd import Crowd, DoctorOnDuty, PatientAtHome
from tests.faults.machine import USUAL, Machine
from tests.running import session_of

SAYS = ["Since three days.", "It is worse at night."]


@pytest.fixture(scope="module")
def machine(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    request: pytest.FixtureRequest,
) -> Iterator[Machine]:
    # Not pytest's own folder: PostgreSQL runs as somebody else, who must pass through.
    folder = Path(tempfile.mkdtemp(prefix="esanjeevani-", dir="/tmp"))
    folder.chmod(0o755)
    site = Machine(folder)
    try:
        with django_db_blocker.unblock(), site.database():
            site.start(getattr(request.module, "PROCESSES", USUAL))
            yield site
    finally:
        site.stop()
        if request.session.testsfailed:
            print(f"What everybody wrote is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def a_crowd(machine: Machine, transactional_db: None) -> Iterator[Callable[..., Crowd]]:
    """So many patients who are about to book, and doctors on duty. The tables are emptied after it."""

    def make(patients: int, doctors: int = 2, every: float = 0.5) -> Crowd:
        the_formulary()
        machine.gateway.received.clear()
        clinic = a_clinic(daily_limit=1000, waiting_limit=1000)
        on = [on_duty(clinic, a_doctor()) for _index in range(doctors)]
        drafts = [a_draft(clinic, a_patient()) for _index in range(patients)]
        return Crowd(
            [
                PatientAtHome(
                    machine, session_of(one.patient.account), uid=str(one.uid), says=list(SAYS)
                )
                for one in drafts
            ],
            [
                DoctorOnDuty(machine, session_of(one.user, staff=True), clinic=str(clinic.uid))
                for one in on
            ],
            every,
        )

    yield make
    connection.close()  # the database may have been started anew since
