"""Every case of docs/faults.md, one after the other: `make faults`. About half an hour.

Each part is killed and paused in the middle of the work; Redis forgets and stays away; clocks are
wrong; tasks come twice. Then the same must hold as after the short form (test_trouble.py).
"""

import asyncio
import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.db import connections
from websockets.sync.client import ClientConnection, connect

from accounts.actions import queue_sms
from accounts.seeding import sms_slots
from consult.broadcast import room_topic
from consult.models import Prescription
from esanjeevani.live.hub import CHANNEL
from queues.actions import leave_line
from queues.models import Token
from tests.dropped import Waiting, dropped_at_once
from tests.factories import (
    a_clinic,
    a_doctor,
    a_state,
    in_the_room,
    on_duty,
    prescribed,
    waiting,
)
from tests.faults import invariants
from tests.faults.machine import Machine, part_named
from tests.running import session_of

pytestmark = [pytest.mark.postgresql, pytest.mark.redis, pytest.mark.timeout(900)]
PROCESSES = {"web": 3, "live": 2, "worker-sms": 2, "worker-pdf": 2, "beat": 1}
PARTS = ["web", "live", "worker-sms", "worker-pdf", "beat", "redis", "postgres"]
PAUSE = 20  # seconds
FLOOD = 10_000  # messages
AT_THE_GATEWAY = 8  # SMS that one worker may have in hand: its threads


def sms_that_may_go_twice(name: str) -> int:
    """Only who may die between the gateway's answer and the mark: docs/faults.md."""
    return AT_THE_GATEWAY if name == "worker-sms" else 0


@pytest.mark.parametrize("name", PARTS)
def test_it_is_killed_and_started_again(machine, a_crowd, name):
    crowd = a_crowd(patients=12)
    with crowd.at_work():
        time.sleep(4)
        part_named(machine, name).kill_and_restart()
        machine.wait()
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd, again=sms_that_may_go_twice(name))


@pytest.mark.parametrize("name", PARTS)
def test_it_stands_still_for_20_seconds(machine, a_crowd, name):
    crowd = a_crowd(patients=14, every=2.0)
    with crowd.at_work():
        time.sleep(4)
        with part_named(machine, name).paused():
            time.sleep(PAUSE)
        machine.wait()
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd)


def test_redis_forgets_everything(machine, a_crowd):
    crowd = a_crowd(patients=14, every=1.0)
    with crowd.at_work():
        for _time in range(5):
            time.sleep(2)
            machine.redis_forgets()
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd)


def test_redis_is_away_for_a_minute(machine, a_crowd):
    crowd = a_crowd(patients=14, every=4.0)
    with crowd.at_work():
        time.sleep(4)
        with machine.redis.away():
            time.sleep(60)
        machine.wait()
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd)


def test_postgresql_is_restarted_in_good_order(machine, a_crowd):
    crowd = a_crowd(patients=12)
    with crowd.at_work():
        time.sleep(4)
        machine.postgres.stop(signal.SIGINT)  # "fast": disconnects everybody
        machine.postgres.start()
        machine.wait()
        invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd)


def test_a_thousand_waiting_pages_are_cut_off_at_once(machine, transactional_db):
    """Each is back with its own place, whatever live process it comes to."""
    clinic = a_clinic(daily_limit=2000, waiting_limit=2000)
    on_duty(clinic)
    first = waiting(clinic)
    pages = [Waiting(waiting(clinic)) for _person in range(1000)]

    def first_leaves() -> None:
        leave_line(token=first.token)
        connections.close_all()

    asyncio.run(dropped_at_once(pages, machine.next_live, machine.url, first_leaves))
    assert {page.told["hello"]["token"] for page in pages} == {"waiting"}
    assert [page.told["place"]["token"] for page in pages] == [page.token_id for page in pages]
    assert Token.objects.waiting().present().count() == len(pages)


def test_two_beats_do_the_work_of_one(machine, a_crowd):
    with machine.one_more("beat", machine.part("beat")):
        crowd = a_crowd(patients=12)
        with crowd.at_work():
            invariants.pages_converge(crowd)
        invariants.all_hold(machine, crowd)


@pytest.mark.parametrize("name", ["worker-sms", "worker-pdf"])
def test_a_worker_is_killed_at_ten_points_of_its_work(machine, transactional_db, name):
    """Ten rows wait each time; it dies the later the more often it has died."""
    others = [part for part in machine.parts[name] if part is not part_named(machine, name)]
    machine.gateway.received.clear()
    for part in others:
        part.kill()
    for point in range(10):
        work_for[name]()
        time.sleep(0.15 * point)
        part_named(machine, name).kill_and_restart()
        part_named(machine, name).wait()
    for part in others:
        part.start()
        part.wait()
    until = time.monotonic() + invariants.SENT_WITHIN
    while Prescription.objects.filter(pdf="").exists() and time.monotonic() < until:
        time.sleep(1)
    assert not Prescription.objects.filter(pdf="").exists()
    invariants.every_sms_was_sent(machine, again=10 * AT_THE_GATEWAY)


def ten_sms() -> None:
    a_state()
    slots = dict.fromkeys(sms_slots("prescription"), "x")
    for number in range(10):
        queue_sms(to=f"+91987650{number:04d}", key="prescription", language="en", **slots)


def two_prescriptions() -> None:
    for _one in range(2):
        clinic = a_clinic()
        prescribed(in_the_room(clinic, on_duty(clinic, a_doctor())))


work_for: dict[str, Callable[[], None]] = {
    "worker-sms": ten_sms,
    "worker-pdf": two_prescriptions,
}


@pytest.mark.parametrize("ahead", ["+3h", "-3h"])
def test_a_clock_is_three_hours_off(machine, a_crowd, ahead):
    with machine.one_more("web", machine.web_with_clock(ahead)):
        crowd = a_crowd(patients=10)
        with crowd.at_work():
            invariants.pages_converge(crowd)
    invariants.all_hold(machine, crowd)


def test_a_page_that_does_not_read_costs_the_others_nothing(machine, transactional_db):
    """Ten thousand messages to two pages of one process, of which one never takes any."""
    clinic = a_clinic()
    consultation = in_the_room(clinic, on_duty(clinic, a_doctor()))
    live = machine.parts["live"][0]
    reads = page_of(machine, live.port, consultation)
    stalled = page_of(machine, live.port, consultation, max_queue=1)
    with reads, stalled, redis.Redis.from_url(machine.redis_url) as publisher:
        assert json.loads(reads.recv(10))["type"] == "hello"
        before = memory_of(live.running.pid)
        for number in range(1, FLOOD + 1):
            said = json.dumps({"type": "message", "id": number, "padding": "x" * 500})
            publisher.publish(CHANNEL, f"{room_topic(consultation.pk)} {said}")
        until, last = time.monotonic() + invariants.CONVERGES_WITHIN, 0
        while last < FLOOD and time.monotonic() < until:
            last = json.loads(reads.recv(10)).get("id", last)
        assert last == FLOOD
        assert memory_of(live.running.pid) - before < 20_000_000


def page_of(machine: Machine, port: int, consultation, **how) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{port}/ws/consultations/{consultation.uid}/",
        origin=machine.url,
        additional_headers={"Cookie": f"sessionid={session_of(consultation.patient.account)}"},
        proxy=None,
        **how,
    )


def memory_of(pid: int) -> int:
    """Bytes that the process keeps in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def test_the_same_task_comes_twice(machine, a_crowd):
    """Every task of the crowd is handed to the broker a second time, at once and again at the end."""
    crowd = a_crowd(patients=10)
    with crowd.at_work():
        while crowd.is_busy:
            machine.tasks_come_again()
            time.sleep(1)
    machine.tasks_come_again()
    invariants.all_hold(machine, crowd)
    time.sleep(5)
    invariants.every_sms_was_sent(machine)
