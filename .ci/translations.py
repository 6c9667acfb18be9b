"""Are the catalogues complete? Arguments: those of manage.py in `make messages`.

Collects the texts anew, in a copy, and says which are missing, not translated, only guessed
("fuzzy"), or lost a placeholder. Without gettext it looks at the catalogues as they are.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".py", ".html", ".txt", ".po"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sdif]|\{\w*\}")


def collected(arguments: list[str], into: Path) -> Path:
    """A copy of the sources in which makemessages has run."""
    for source in ROOT.rglob("*.*"):
        name = source.relative_to(ROOT)
        if source.suffix in SOURCES and not any(part.startswith(".") for part in name.parts):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, into / name)
    (into / "locale").mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=into,
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"EMBEDDED": "1"},
    )
    return into / "locale"


def faults(catalogue: Path, fresh: Path) -> list[str]:
    here = polib.pofile(str(catalogue))
    known = {(entry.msgctxt, entry.msgid) for entry in here if not entry.obsolete}
    found = []
    if here.metadata_is_fuzzy:
        found.append("its header is marked fuzzy, so it would not be compiled")
    if fresh != catalogue:
        found += [
            f"not in the catalogue: {entry.msgid!r}"
            for entry in polib.pofile(str(fresh))
            if not entry.obsolete and (entry.msgctxt, entry.msgid) not in known
        ]
    for entry in here:
        if entry.obsolete:
            continue
        if not entry.translated():
            found.append(f"{'only guessed' if entry.fuzzy else 'not translated'}: {entry.msgid!r}")
            continue
        texts = filter(None, (entry.msgid, entry.msgid_plural))
        wanted = {frozenset(PLACEHOLDER.findall(text)) for text in texts}
        given = [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values()
        found += [
            f"other placeholders in {text!r}"
            for text in given
            if frozenset(PLACEHOLDER.findall(text)) not in wanted
        ]
    return found


def main() -> int:
    catalogues = sorted(ROOT.glob("locale/*/LC_MESSAGES/django.po"))
    with tempfile.TemporaryDirectory() as folder:
        if shutil.which("xgettext"):
            locale = collected(sys.argv[1:], Path(folder))
            wanted = {path.relative_to(locale) for path in locale.glob("*/LC_MESSAGES/django.po")}
        else:
            print("Left out: gettext is not here, so new texts were not looked for.")
            locale, wanted = ROOT / "locale", set()
        bad = 0
        for missing in sorted(wanted - {path.relative_to(ROOT / "locale") for path in catalogues}):
            print(f"locale/{missing} is missing: make messages")
            bad += 1
        for catalogue in catalogues:
            name = catalogue.relative_to(ROOT)
            for fault in faults(catalogue, locale / catalogue.relative_to(ROOT / "locale")):
                print(f"{name}: {fault}")
                bad += 1
    print(f"Translations: {len(catalogues)} catalogue(s), {bad or 'no'} fault(s).")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
