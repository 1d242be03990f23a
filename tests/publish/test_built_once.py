"""One build under several names is sent once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.moto import BUCKET, Moto, sent_bodies
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.index.verify import verify
from variant_publish.store.places import open_store

MIB = 1024 * 1024
GENERIC = "foo_bar-1.0-py3-none-manylinux_2_28_x86_64.whl"


def config(root: str, endpoint_url: str | None) -> Config:
    endpoint = f'endpoint-url = "{endpoint_url}"\n' if endpoint_url else ""
    return Config.parse(
        f"""
        [tool.variant-publish]
        dialects = ["plus", "pep825"]
        [tool.variant-publish.variants.cu128]
        properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
        [tool.variant-publish.upload]
        extra-index = "{root}simple"
        views = "{root}views"
        public-url = "https://h/simple"
        {endpoint}
        """
    )


def made(folder: Path, size: int, settings: Config) -> list[Path]:
    """Write a build of this size in both dialects."""
    build = make_wheel(folder / "build", GENERIC, files={"foo_bar/big.bin": os.urandom(size)})
    done = api.retag([build], folder / "dist", api.rewrites(settings.variant("cu128"), settings))
    assert not done.failed
    return [item.path for item in done.done]


@pytest.mark.slow
def test_a_build_in_both_dialects_and_a_view_is_sent_once(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(f"s3://{BUCKET}/", moto.endpoint_url)
    wheels = made(tmp_path, 40 * MIB + MIB // 2, settings)
    sent = sent_bodies(monkeypatch)
    monkeypatch.setattr("variant_publish.publish.destinations.fault_of_public_url", lambda *_: "")
    (plan,) = api.plan_upload([tmp_path / "dist"], settings, settings.upload)
    result = api.upload(plan)
    assert len(result.sent) == 2
    assert [len(view.sent) for view in result.views] == [1]
    once = wheels[0].stat().st_size
    assert once <= sum(size for _, size in sent) <= 1.05 * once
    for place in ("simple", "views/cu128"):
        store = open_store(f"s3://{BUCKET}/{place}", endpoint_url=moto.endpoint_url)
        assert verify(store, deep=True).is_sound
        store.close()


@pytest.mark.slow
def test_what_lies_there_already_is_compared_before_others_are_made_of_it(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(f"s3://{BUCKET}/", moto.endpoint_url)
    first, second = made(tmp_path, 40 * MIB + MIB // 2, settings)
    monkeypatch.setattr("variant_publish.publish.destinations.fault_of_public_url", lambda *_: "")
    bare = settings.upload
    (plan,) = api.plan_upload([first], settings, bare)
    api.upload(plan)
    sent = sent_bodies(monkeypatch)
    (plan,) = api.plan_upload([first, second], settings, bare)
    api.upload(plan)
    assert sum(size for _, size in sent) <= 0.05 * second.stat().st_size


def test_a_folder_has_all_names_of_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("variant_publish.publish.built_once.WORTH_IT", 1000)
    settings = config(f"file:{tmp_path}/", None)
    made(tmp_path, 100_000, settings)
    (plan,) = api.plan_upload([tmp_path / "dist"], settings, settings.upload)
    api.upload(plan)
    for place in ("simple", "views/cu128"):
        assert verify(open_store(f"file:{tmp_path / place}"), deep=True).is_sound
