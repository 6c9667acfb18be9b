"""Set before Django reads its settings (`-p tests.environment`): every run has a folder of its own."""

import os
import shutil
import tempfile

os.environ.setdefault("EMBEDDED", "1")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="esanjeevani-test-")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["VAR_DIR"], ignore_errors=True)
