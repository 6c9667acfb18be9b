import pytest

from tests.abdm.calling import Calls, joined
from tests.abdm.fake_gateway import FakeGateway


@pytest.fixture(scope="module")
def fake_gateway():
    fake = FakeGateway()
    yield fake
    fake.shutdown()
    fake.server_close()


@pytest.fixture
def calls(fake_gateway, settings) -> Calls:
    """A service that has joined the gateway, and the gateway's calls."""
    settings.ABDM = joined(fake_gateway)
    fake_gateway.received.clear()
    fake_gateway.keys_asked = 0
    return Calls(fake_gateway)
