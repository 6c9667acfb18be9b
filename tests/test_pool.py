"""Which connection a page or a task is given."""

from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection

from esanjeevani.postgresql.base import DatabaseWrapper
from tests.trips import trips


@pytest.fixture
def threads() -> Iterator[list[DatabaseWrapper]]:
    three = [connection.copy("pooled") for _thread in range(3)]
    for thread in three:
        thread.settings_dict["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 3, "timeout": 20}
    yield three
    for thread in three:
        thread.close()
    three[0].close_pool()


def server_process(thread: DatabaseWrapper) -> int:
    with thread.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_connection_that_was_used_last_is_given_out_first(threads) -> None:
    used = [server_process(thread) for thread in threads]
    assert len(set(used)) == 3
    for thread in threads:
        thread.close()
    first, second, third = threads
    assert server_process(first) == used[2]
    assert server_process(second) == used[1]
    first.close()
    assert server_process(third) == used[2]


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_connection_that_was_kept_is_listened_to_and_left_when_it_was_cut() -> None:
    kept = connection.copy("kept")
    kept.settings_dict |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 3600}
    first = server_process(kept)
    kept.close_if_unusable_or_obsolete()  # as each task begins
    assert trips(partial(server_process, kept), by=kept) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [first])
    kept.close_if_unusable_or_obsolete()
    assert server_process(kept) != first
    kept.close()


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_connection_that_the_server_ended_is_given_to_nobody(threads) -> None:
    used = [server_process(thread) for thread in threads]  # as many as there may be
    for thread in threads:
        thread.close()
    with connection.cursor() as cursor:
        for ended in used:
            cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [ended])  # once it has
            assert cursor.fetchone()[0]
    assert server_process(threads[0]) not in used
