"""What is old leaves the database for files, and can be read back; nothing is lost on the way."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import archive as archiving
from accounts.actions import queue_sms
from accounts.actions.audit import record
from accounts.archive import NotArchived, archive
from accounts.models import AuditEvent, Message
from tests.factories import a_patient, a_state

pytestmark = pytest.mark.django_db
YEARS = timedelta(days=800)


@pytest.fixture
def old() -> list[int]:
    """The account's first event and three reads of long ago; one of today, which stays."""
    patient = a_patient()
    for number in range(4):
        record("patient.read", f"patient:{number}", by=patient.account, patient=patient)
    events = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    AuditEvent.objects.filter(pk__in=events[:-1]).update(at=timezone.now() - YEARS)
    return events[:-1]


def an_old_sms(state: str) -> Message:
    a_state()
    sms = queue_sms(to="+919876543210", key="otp", language="en", code="482913")
    sent_at = timezone.now() - YEARS if state == "sent" else None
    Message.objects.filter(pk=sms.pk).update(
        created_at=timezone.now() - YEARS, state=state, sent_at=sent_at
    )
    return sms


def everything() -> list[dict[str, object]]:
    return [*AuditEvent.objects.order_by("pk").values(), *Message.objects.order_by("pk").values()]


def run(folder: Path, months: int = 24) -> None:
    call_command("archive", "--months", str(months), "--to", str(folder), verbosity=0)


def test_what_is_old_leaves_and_is_read_back_as_it_was(old, tmp_path) -> None:
    sent = an_old_sms("sent")
    before = everything()
    run(tmp_path)
    assert AuditEvent.objects.filter(pk__in=old).count() == 0
    assert (AuditEvent.objects.count() > 0, Message.objects.filter(pk=sent.pk).exists()) == (
        True,
        False,
    )
    files = sorted(tmp_path.iterdir())
    assert [path.name.partition("-")[0] for path in files] == [
        "accounts_auditevent",
        "accounts_message",
    ]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    call_command("loaddata", *map(str, files), verbosity=0)
    assert everything() == before


def test_what_is_young_or_was_not_sent_stays(old, tmp_path) -> None:
    AuditEvent.objects.update(at=timezone.now() - timedelta(days=300))
    an_old_sms("failed")
    before = everything()
    run(tmp_path)
    assert (everything(), list(tmp_path.iterdir())) == (before, [])


def test_rows_go_in_files_of_a_bounded_size(old, tmp_path) -> None:
    kept = list(archive(timezone.now() - timedelta(days=400), tmp_path, rows_per_file=2))
    assert [one.rows for one in kept] == [2, 2]
    assert not AuditEvent.objects.filter(pk__in=old).exists()


def test_who_is_stopped_before_the_rows_go_makes_the_same_file_again(
    old, tmp_path, monkeypatch
) -> None:
    def stopped(*_args: object) -> None:
        raise KeyboardInterrupt

    before = timezone.now() - timedelta(days=400)
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "_delete", stopped)
        with pytest.raises(KeyboardInterrupt):
            list(archive(before, tmp_path))
    (file,) = tmp_path.iterdir()
    first = file.read_bytes()
    assert AuditEvent.objects.filter(pk__in=old).count() == len(old)
    (kept,) = archive(before, tmp_path)
    assert (kept.path, file.read_bytes()) == (file, first)
    assert not AuditEvent.objects.filter(pk__in=old).exists()


def test_nothing_goes_when_another_row_has_come_between(old, tmp_path, monkeypatch) -> None:
    """As when a second archive runs at the same time, or an SMS is sent late."""
    write = archiving._write

    def and_one_goes(part, folder):
        path = write(part, folder)
        AuditEvent.objects.filter(pk=old[1]).delete()
        return path

    monkeypatch.setattr(archiving, "_write", and_one_goes)
    with pytest.raises(NotArchived):
        list(archive(timezone.now() - timedelta(days=400), tmp_path))
    assert AuditEvent.objects.filter(pk__in=old).count() == len(old) - 1


@pytest.mark.parametrize(("months", "says"), [(11, "12 months stay"), (12, "is no folder")])
def test_it_refuses_a_year_not_over_and_a_folder_that_is_not_there(months, says, tmp_path) -> None:
    with pytest.raises(CommandError, match=says):
        run(tmp_path / "nowhere", months)
