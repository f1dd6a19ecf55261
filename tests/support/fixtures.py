# SPDX-License-Identifier: Apache-2.0
"""Fixtures that the clients' tests and the scenarios share; each conftest.py takes them from here."""
import pytest

from support.hostile import Hostile
from support.kinesalite import Kinesalite
from support.leat import Server


@pytest.fixture
def data(tmp_path):
    """A data folder of the test's own; it is made by the program."""
    return tmp_path / "leat-data"


@pytest.fixture
def server(data):
    """`leat serve` for one test, stopped by SIGTERM, which must end with 0."""
    server = Server(data).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One `leat serve` for all tests of a file, which then use names of their own."""
    server = Server(tmp_path_factory.mktemp("shared") / "leat-data").start()
    yield server
    server.stop()


@pytest.fixture
def kinesis(server):
    return server.client("kinesis")


@pytest.fixture
def firehose(server):
    return server.client("firehose")


@pytest.fixture
def s3(server):
    return server.client("s3")


@pytest.fixture
def kinesalite():
    peer = Kinesalite().start()
    yield peer
    peer.stop()


@pytest.fixture
def api():
    """A web API that the test scripts."""
    server = Hostile().start()
    yield server
    server.stop()


@pytest.fixture
def other():
    """A second one: another origin."""
    server = Hostile().start()
    yield server
    server.stop()
