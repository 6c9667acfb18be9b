"""The command of every container, run against services of its own."""

import subprocess
import sys

import pytest

from deploy.trial import ROOT
from tests.deploy.test_with_services import PROGRAM


# In one of the two runs of CI: it is the same in both.
@pytest.mark.postgresql
@pytest.mark.redis
@pytest.mark.timeout(900)
def test_every_command_of_the_compose_file_works():
    done = subprocess.run(
        [PROGRAM, "--", sys.executable, "-m", "deploy.try_commands"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
