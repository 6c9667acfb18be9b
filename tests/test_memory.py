"""What a process that serves people holds for itself after its people have signed in."""

import subprocess
import sys

from accounts.hashers import LeanArgon2
from tests.running import ROOT

THREADS = 4  # of one process for the pages
SIGNED_IN = f"""
import re, threading
from pathlib import Path
import esanjeevani.wsgi
from accounts.hashers import LeanArgon2

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def sign_in(done, leave):
    LeanArgon2().encode("a password", "some salt")
    done.set()
    leave.wait()

before, leave = held(), threading.Event()
for number in range({THREADS}):
    done = threading.Event()
    threading.Thread(target=sign_in, args=(done, leave)).start()
    done.wait()
print(held() - before)
leave.set()
"""


def test_the_hash_of_a_password_is_held_once_and_not_by_each_thread():
    done = subprocess.run(
        [sys.executable, "-c", SIGNED_IN], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert int(done.stdout) < 2 * LeanArgon2.memory_cost  # both in KiB
