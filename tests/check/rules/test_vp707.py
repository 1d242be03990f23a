from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, failures, verdicts
from support.http import serving
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.rules.destination import PublicAddress

CONFIG = '[tool.variant-publish.upload]\npublic-url = "{}"\n'


def test_an_address_that_answers_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    listing(tmp_path / "index", "other")
    with serving(tmp_path / "index") as address:
        assert verdicts(PublicAddress(), tmp_path / "dist", CONFIG.format(address)) == {"pass": 1}


def test_an_address_that_does_not_answer_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    (message,) = failures(PublicAddress(), tmp_path, CONFIG.format((tmp_path / "gone").as_uri()))
    assert "cannot be read" in message
    assert verdicts(PublicAddress(), tmp_path, CONFIG.format("s3://wheels/simple")) == {"fail": 1}


def test_an_address_without_tls_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert failures(PublicAddress(), tmp_path, CONFIG.format("http://wheels.invalid/simple")) == [
        "http://wheels.invalid/simple is not https, and pip does not trust it"
    ]


def test_offline_nothing_is_known(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    config = CONFIG.format("https://wheels.invalid/simple")
    assert verdicts(PublicAddress(), tmp_path, config, offline=True) == {"unknown": 1}


def test_without_an_address_it_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(PublicAddress(), tmp_path) == {"skip": 1}
