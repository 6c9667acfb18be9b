"""What a process that serves people holds for itself after its people have signed in."""

import subprocess
import sys
from importlib import import_module
from inspect import signature

from django.conf import settings

from accounts.hashers import LeanArgon2
from tests.running import ROOT, STARTS_WITHIN

OURS = {"accounts", "queues", "consult", "esanjeevani"}
# Without a limit, because there is little to ask them: of each field, of each language, in which order.
FEW_ANSWERS = {
    "accounts.models.base._labels",
    "consult.pdf.words.labels",
    "queues.claim.claim_text",
}
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
        [sys.executable, "-c", SIGNED_IN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
    )
    assert int(done.stdout) < 2 * LeanArgon2.memory_cost  # both in KiB


def test_whatever_a_process_remembers_by_what_it_is_asked_has_an_end():
    import_module(settings.ROOT_URLCONF)
    modules = [one for name, one in sys.modules.items() if name.partition(".")[0] in OURS]
    memos = {memo for one in modules for memo in vars(one).values() if hasattr(memo, "cache_info")}
    endless = {
        memo for memo in memos if memo.cache_info().maxsize is None and signature(memo).parameters
    }
    assert len(memos) > 20
    assert {f"{memo.__module__}.{memo.__qualname__}" for memo in endless} - FEW_ANSWERS == set()
