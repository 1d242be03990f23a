"""Upload jobs in processes of their own, forked from a server that has imported everything: cheap to start and kill."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from support.moto import BUCKET
from support.publishing import CONFIG, run
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.release.release import load
from variant_publish.store.s3 import S3Store

PART = 64 * 1024
"""The size of parts in these tests; the server's least must be lowered for it."""

_PRELOAD = ("boto3", "botocore.client", "moto.server", "moto.s3.responses", "variant_publish.api.staging",
            "variant_publish.api.publishing", "variant_publish.store.s3")  # fmt: skip

SKIP = 3
"""The exit code of a job that was refused with an error of ours."""


def context() -> ForkServerContext:
    """Return the context whose processes have boto3 and our package already."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([*_PRELOAD])
    return found


def options(endpoint_url: str, **more: float) -> dict[str, Any]:
    """Return the options of the tests' store: small parts, and what is given."""
    return {"endpoint_url": endpoint_url, "part_size": PART, **more}


def upload(folders: list[str], endpoint_url: str, deadline_s: float = 20.0) -> None:
    """Publish the releases in the folders, one after the other, as `upload` does; exit 3 where one is refused."""
    code = 0
    store = S3Store(BUCKET, "simple", **options(endpoint_url))
    for folder in folders:
        try:
            run(load([Path(folder)], Config.parse(CONFIG)).only(), store, deadline_s=deadline_s)
        except VariantPublishError as error:
            sys.stderr.write(f"{error}\n")
            code = SKIP
    sys.stderr.flush()
    os._exit(code)  # threads of a client that was cut off must not hold the process


def stage(folder: str, extra_index: str, endpoint_url: str | None, config: str) -> None:
    """Stage a folder as a part of "big", as a job of CI does."""
    api.stage(
        [Path(folder)], "big", Config.parse(config), UploadTable(extra_index=extra_index, endpoint_url=endpoint_url)
    )
    os._exit(0)
