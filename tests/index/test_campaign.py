"""Kills and faults at random steps of every operation leave a sound index, and the same command finishes.

A few trials here; `VARIANT_PUBLISH_CAMPAIGN=1000 pytest tests/index/test_campaign.py` runs that many of each kind.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from support.campaign import BucketGround, FolderGround, Scene, Tally, campaign
from support.moto import give_credentials
from support.moto_process import moto_process

TRIALS = int(os.environ.get("VARIANT_PUBLISH_CAMPAIGN", "4"))

pytestmark = [
    pytest.mark.slow(seconds=20),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked and killed as Linux does it"),
]


@pytest.fixture(autouse=True)
def _fixed_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    give_credentials(monkeypatch)


def check(tally: Tally) -> None:
    assert (tally.kills, tally.faults) == (TRIALS, TRIALS)
    assert tally.broken == []
    assert tally.unfinished == []
    assert tally.crashed == []


def test_a_folder_survives_kills_and_faults(tmp_path: Path) -> None:
    check(campaign(Scene(FolderGround(tmp_path / "place"), tmp_path / "files"), 1, TRIALS, TRIALS))


def test_a_bucket_survives_kills_and_faults(tmp_path: Path) -> None:
    with moto_process(tmp_path) as server, closing(BucketGround(server)) as ground:
        check(campaign(Scene(ground, tmp_path / "files"), 1, TRIALS, TRIALS))
