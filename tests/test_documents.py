"""What the documents say of the repository is so. Decisions are left out: they say what was so then."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PATH = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*)`")  # `consult/rules/`, `deploy/coturn/start`
OURS = {path.name for path in ROOT.iterdir() if path.is_dir()}
MADE_LATER = {
    "deploy/tls/acme",
    "deploy/keys/key-1.pem",
    "deploy/keys/pdf.p12",
}  # by whoever runs it
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
LINK = re.compile(r"\]\(([^)#:]+)\)")


def named(document: Path) -> list[str]:
    """Paths from the root; addresses on the site begin otherwise."""
    found = PATH.findall(document.read_text())
    return [one for one in found if one.split("/")[0] in OURS and one not in MADE_LATER]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_files_that_a_document_names_are_there(document: Path):
    assert [one for one in named(document) if not list(ROOT.glob(one))] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *DECISIONS], ids=lambda document: document.name)
def test_its_links_lead_somewhere(document: Path):
    links = LINK.findall(document.read_text())
    assert [one for one in links if not (document.parent / one).exists()] == []


def test_the_map_names_something_of_each_package():
    packages = {one.split("/")[0] for one in named(ROOT / "docs/architecture.md")}
    assert packages >= {"accounts", "queues", "consult", "esanjeevani", "tests", "static"}
