"""Set before Django reads its settings (`-p tests.environment`): every run has a folder of its own."""

import os
import shutil
import tempfile

import pytest

# What tests share says what it found, as the tests do.
for shared in ("factories", "calling", "area", "faults", "browser", "abdm"):
    pytest.register_assert_rewrite(f"tests.{shared}")

os.environ.setdefault("EMBEDDED", "1")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="esanjeevani-test-")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["VAR_DIR"], ignore_errors=True)
