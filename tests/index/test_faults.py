"""Whatever fails in an upload, and wherever it is killed, the index stays sound and the same command finishes."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from support import jobs
from support.faults import FAULTS, KILLS, Fault, FaultProxy, Seen, fault_proxy
from support.moto import BUCKET, Moto
from support.publishing import PLUS, make_release, run
from support.soundness import check_index, check_whole
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError
from variant_publish.release.release import Release
from variant_publish.store.objects import CANARY
from variant_publish.store.s3 import S3Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="connections are refused and processes killed as Linux does it"),
]

LARGE = PLUS.replace("cu128", "cu130")
ALL = sorted([LARGE, PLUS, "foo-bar-1.0-wheel-selector.toml"])
EVERY_FAULT = bool(os.environ.get("VARIANT_PUBLISH_EVERY_FAULT"))
"""Give every request every fault: minutes. Else each request gets a few, so that each fault meets many requests."""

STEP = 11
RUNS = 20


@pytest.fixture
def moto(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr("variant_publish.store.store.PAUSES", (0.01,) * 6)
    return moto


@pytest.fixture
def proxy(moto: Moto) -> Iterator[FaultProxy]:
    with fault_proxy(moto.endpoint_url) as proxy:
        yield proxy
    for store in _STORES.values():
        S3Store.close(store)
    _STORES.clear()


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Give two wheels, one of which goes in three parts."""
    noise = random.Random(0).randbytes(2 * jobs.PART + 1000)  # noqa: S311 - the same wheel in every run
    make_wheel(tmp_path / "dist", LARGE, files={"foo_bar.bin": noise}, headers=["Requires-Python: >=3.9,<4"])
    return make_release(tmp_path / "dist", PLUS)


class LastingStore(S3Store):
    """Keep the client, which costs more to make than a whole upload."""

    def close(self) -> None:
        self._probed.clear()  # as a new store


_STORES: dict[tuple[str, int, float], S3Store] = {}
_SHORT, _PATIENT = 1.0, 30.0
"""Seconds to wait for an answer: a busy machine may need more than the short one, so only silence is met with it."""


def publish(release: Release, proxy: FaultProxy, *, attempts: int = 1, timeout: float = _PATIENT) -> bool:
    """Publish, and say whether everything is there."""
    store = _STORES.get((proxy.address, attempts, timeout))
    if store is None:
        options = jobs.options(proxy.address, attempts=attempts, timeout=timeout)
        store = _STORES[proxy.address, attempts, timeout] = LastingStore(BUCKET, "simple", **options)
    return run(release, store)[1].is_complete


def attempt(release: Release, proxy: FaultProxy, *, attempts: int = 1, timeout: float = _PATIENT) -> bool:
    """Publish under a fault; False where it ended with an error of ours. Any other exception is a bug."""
    try:
        return publish(release, proxy, attempts=attempts, timeout=timeout)
    except VariantPublishError as error:
        if not error.hint:
            raise
        return False


def at(number: int, fault: Fault) -> Callable[[int], Fault | None]:
    return lambda found: fault if found == number else None


def arrived(seen: list[Seen]) -> list[str]:
    """Give the addresses of wheels and parts that the store keeps; pages may be written again."""
    return [item.path for item in seen if item.stored and ".whl" in item.path]


def finish(release: Release, proxy: FaultProxy, moto: Moto) -> None:
    """Run the same command again, without faults, and compare what it did with what was there."""
    before = arrived(proxy.seen)
    proxy.start(lambda number: None)
    assert publish(release, proxy)
    assert check_whole(moto) == {"foo-bar": ALL}
    assert set(arrived(proxy.seen)).isdisjoint(before)
    left = {item["Key"] for item in moto.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])}
    assert left <= {f"simple/{CANARY}"}  # a few bytes, which `index gc --uploads` ends


def requests_of_an_upload(release: Release, proxy: FaultProxy, moto: Moto) -> int:
    proxy.start(lambda number: None)
    assert publish(release, proxy)
    moto.reset()
    return proxy.count


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_loses_nothing(release: Release, proxy: FaultProxy, moto: Moto, fault: Fault) -> None:
    total = requests_of_an_upload(release, proxy, moto)
    step = 1 if EVERY_FAULT else STEP
    failed = 0
    for number in range(FAULTS.index(fault) % step, total, step):
        proxy.start(at(number, fault))
        failed += not attempt(release, proxy, timeout=_SHORT if fault is Fault.TIMEOUT else _PATIENT)
        assert proxy.count >= number
        check_index(moto)
        finish(release, proxy, moto)
        moto.reset()
    assert failed or fault in (Fault.RACE, Fault.LOST)


@pytest.mark.parametrize("seed", range(4))
def test_faults_at_random_lose_nothing(
    release: Release, proxy: FaultProxy, moto: Moto, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    chance = random.Random(seed)  # noqa: S311 - the same faults in every run
    fates = [chance.choice(FAULTS[1:]) if chance.random() < 0.15 else None for _ in range(10_000)]
    numbers = count()
    for _ in range(RUNS):
        begin = next(numbers) * 200
        proxy.start(lambda number, begin=begin: fates[begin + number])  # type: ignore[misc]
        whole = attempt(release, proxy, attempts=2, timeout=_SHORT)
        check_index(moto)
        if whole:
            break
    finish(release, proxy, moto)
    proxy.start(lambda number: None)
    assert publish(release, proxy)
    assert not any(item.method in ("PUT", "POST", "DELETE") for item in proxy.seen)


@pytest.mark.parametrize("fault", KILLS)
def test_a_kill_at_any_request_loses_nothing(release: Release, proxy: FaultProxy, moto: Moto, fault: Fault) -> None:
    total = requests_of_an_upload(release, proxy, moto)
    (wheel, *_) = release.wheels
    assert isinstance(wheel, WholeWheel)
    folder = str(wheel.path.parent)
    step = 1 if EVERY_FAULT else len(KILLS) * 3
    for number in range(len(KILLS) * KILLS.index(fault) % step, total, step):
        proxy.start(at(number, fault))
        job = jobs.context().Process(target=jobs.upload, args=([folder], proxy.address))
        job.start()
        assert job.pid
        proxy.victims.put(job.pid)
        job.join(30)
        assert job.exitcode == -9
        job.close()
        check_index(moto)
        finish(release, proxy, moto)
        moto.reset()


def test_trouble_is_never_taken_for_an_empty_index(
    release: Release, proxy: FaultProxy, moto: Moto, tmp_path: Path
) -> None:
    first = make_release(tmp_path / "first", PLUS)
    proxy.start(lambda number: None)
    for number in range(0, 36, 1 if EVERY_FAULT else 9):
        for fault in (Fault.DENIED, Fault.TRUNCATED):
            assert publish(first, proxy)
            proxy.start(at(number, fault))
            attempt(release, proxy)
            assert PLUS in check_index(moto)["foo-bar"]
            moto.reset()
            proxy.start(lambda number: None)
