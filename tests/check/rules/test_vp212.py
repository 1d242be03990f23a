from __future__ import annotations

from pathlib import Path

from support.checks import LABELLED, PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import DescriptionRenders

BROKEN = "Title\n==\n\n`no end\n"


def described(folder: Path, filename: str, text: str, *headers: str) -> None:
    make_wheel(folder, filename, headers=headers, description=text)


def test_a_description_that_renders_passes(tmp_path: Path) -> None:
    described(tmp_path, PLAIN, "Title\n=====\n\n*text*\n")
    described(tmp_path, PLAIN.replace("cp312", "cp313"), BROKEN, "Description-Content-Type: text/markdown; variant=GFM")
    described(tmp_path, PLAIN.replace("cp312", "cp314"), "")
    assert verdicts(DescriptionRenders(), tmp_path) == {"pass": 3}


def test_a_description_that_does_not_render_fails(tmp_path: Path) -> None:
    described(tmp_path, PLAIN, BROKEN)
    described(tmp_path, PLAIN.replace("cp312", "cp313"), BROKEN, "Description-Content-Type: text/x-rst; charset=UTF-8")
    for message in failures(DescriptionRenders(), tmp_path):
        assert message.startswith("its description does not render: line 4: (WARNING/2) Inline interpreted text")
    assert verdicts(DescriptionRenders(), tmp_path) == {"fail": 2}


def test_variants_are_skipped(tmp_path: Path) -> None:
    for filename in (PLUS, LABELLED):
        described(tmp_path, filename, BROKEN)
    assert verdicts(DescriptionRenders(), tmp_path) == {"skip": 2}
