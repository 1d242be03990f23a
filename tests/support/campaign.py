"""Operations on an index in processes that are killed, or meet faults, at a random step: what is left must be sound.

A trial restores one state, runs one operation in a forked process that is disturbed at a random step, checks that
every listed file is there with its bytes, runs the same operation again, and compares the end with that of a run
that nobody disturbed. Equal seeds give equal choices.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config as ClientConfig

from support.moto import ACCESS_KEY, BUCKET, SECRET_KEY
from support.moto_process import MotoProcess, moto_process
from support.publishing import GENERIC, PLUS
from support.soundness import broken_files
from support.wheels import make_wheel
from variant_publish import api
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.publish import built_once
from variant_publish.store.bucket import Bucket
from variant_publish.store.s3 import S3Store

MATRIX = """
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["manylinux_2_28_x86_64"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""
_PART = 64 * 1024
_ROOT = re.compile(r"(?:[^/]+-views/[^/]+|[^/]+/\.staged/[^/]+/\.views/[^/]+|[^/]+/\.staged/[^/]+|[^/]+)/")
_ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES)
_EVENTS = frozenset({"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"})
_ANSWERS = {500: "InternalError", 503: "SlowDown", 403: "AccessDenied", 409: "ConditionalRequestConflict", 412: "PreconditionFailed"}  # fmt: skip
FAULTS = ("reset before", "reset after", "truncated", *_ANSWERS)


@dataclass(frozen=True)
class Disturbance:
    """What happens at which step; a fault may go on until the end."""

    step: int
    kind: str
    lasts: bool = False

    def hits(self, step: int) -> bool:
        return step == self.step or (self.lasts and step > self.step)


class Ground(ABC):
    """A kind of store: where indexes lie, and how its steps are counted and disturbed."""

    @abstractmethod
    def place(self, name: str) -> str: ...

    @abstractmethod
    def objects(self) -> dict[str, Any]:
        """Return everything, as `restore` takes it."""

    @abstractmethod
    def restore(self, objects: dict[str, Any]) -> None: ...

    @abstractmethod
    def contents(self) -> dict[str, bytes]:
        """Return the bytes of all objects by key."""

    @abstractmethod
    def unfinished(self) -> list[str]:
        """Return uploads that were begun and left."""

    @abstractmethod
    def disturb(self, disturbance: Disturbance | None, count: Callable[[], int]) -> None:
        """Let the process that this is called in meet a disturbance; `count` counts its steps."""

    endpoint_url: str | None = None
    kills: tuple[str, ...] = ("kill before",)
    faults: tuple[str, ...] = ()


class FolderGround(Ground):
    """A folder; a step is a file that is opened, linked, renamed or removed below it."""

    faults = tuple(map(str, _ERRORS))

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def place(self, name: str) -> str:
        return f"file:{self.root / name}"

    def objects(self) -> dict[str, Any]:
        return self.contents()

    def restore(self, objects: dict[str, Any]) -> None:
        shutil.rmtree(self.root)
        for key, content in objects.items():
            (self.root / key).parent.mkdir(parents=True, exist_ok=True)
            (self.root / key).write_bytes(content)
        self.root.mkdir(exist_ok=True)

    def contents(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and not path.name.endswith((".part", "lock"))
        }

    def unfinished(self) -> list[str]:
        return []  # where files have no name until they are whole, nothing is left; elsewhere `index gc` removes it

    def disturb(self, disturbance: Disturbance | None, count: Callable[[], int]) -> None:
        root = str(self.root)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in _EVENTS or not any(str(one).startswith(root) for one in arguments[:2]):
                return
            step = count()
            if disturbance is None or not disturbance.hits(step):
                return
            if disturbance.kind == "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            number = int(disturbance.kind)
            raise OSError(number, os.strerror(number), root)

        sys.addaudithook(hook)


class BucketGround(Ground):
    """A bucket on moto's server; a step is a request."""

    kills = ("kill before", "kill after")
    faults = tuple(map(str, FAULTS))

    def __init__(self, server: MotoProcess) -> None:
        self.server = server
        self.endpoint_url = server.endpoint_url
        session = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1")
        self.own = session.client("s3", endpoint_url=self.endpoint_url)
        # Made once, and used by the forked processes alone.
        retries: Any = {"mode": "standard", "total_max_attempts": 3}
        config = ClientConfig(retries=retries, connect_timeout=5, read_timeout=20)
        self.client = session.client("s3", endpoint_url=self.endpoint_url, config=config)

    def close(self) -> None:
        self.own.close()
        self.client.close()

    def place(self, name: str) -> str:
        return f"s3://{BUCKET}/{name}"

    def objects(self) -> dict[str, Any]:
        return self.server.objects()

    def restore(self, objects: dict[str, Any]) -> None:
        self.server.restore(objects)

    def contents(self) -> dict[str, bytes]:
        return {
            key: gzip.decompress(content) if "gzip" in str(headers) else content
            for key, (content, headers, *_) in self.objects().items()
        }

    def unfinished(self) -> list[str]:
        found = self.own.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [item["Key"] for item in found if not item["Key"].endswith(".variant-publish/conditions")]

    def disturb(self, disturbance: Disturbance | None, count: Callable[[], int]) -> None:
        Bucket.client = self.client  # type: ignore[assignment,method-assign]
        S3Store.part_size = S3Store.copy_part = built_once.WORTH_IT = _PART
        whole = urllib3.connectionpool.HTTPConnectionPool.urlopen

        def urlopen(pool: Any, method: str, url: str, *rest: Any, **options: Any) -> Any:
            step = count()
            if disturbance is None or not disturbance.hits(step):
                return whole(pool, method, url, *rest, **options)
            kind = disturbance.kind
            if kind == "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "reset before":
                raise urllib3.exceptions.ProtocolError("reset", ConnectionResetError())
            if kind.isdigit():
                return _answer(int(kind))
            response = whole(pool, method, url, *rest, **options)
            if kind == "kill after":
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "reset after":
                response.read()
                raise urllib3.exceptions.ProtocolError("reset", ConnectionResetError())
            return _truncated(response)

        setattr(urllib3.connectionpool.HTTPConnectionPool, whole.__name__, urlopen)


def _root_of(key: str) -> str:
    """Return the place of the index that a key is of: views and stages are indexes of their own."""
    found = _ROOT.match(key)
    assert found is not None, key
    return found[0]


def _answer(status: int) -> urllib3.HTTPResponse:
    body = f"<?xml version='1.0'?><Error><Code>{_ANSWERS[status]}</Code><Message>planned</Message></Error>".encode()
    headers = {"Content-Type": "application/xml", "Content-Length": str(len(body))}
    return urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)


def _truncated(response: Any) -> urllib3.HTTPResponse:
    """Cut an answer in half; one without a body loses the headers that come late."""
    content = response.read(decode_content=False)
    headers = {name: value for name, value in response.headers.items() if content or name.lower() != "etag"}
    half = io.BytesIO(content[: len(content) // 2])
    return urllib3.HTTPResponse(half, headers, response.status, preload_content=False, decode_content=False)


Operation = Callable[["Scene"], object]


@dataclass
class Scene:
    """The files of this machine, the indexes, and what is done to them."""

    ground: Ground
    folder: Path
    config: Config = field(default_factory=lambda: Config.parse(MATRIX))
    steps: dict[str, int] = field(default_factory=dict)
    ends: dict[str, object] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def settings(self, name: str = "simple") -> UploadTable:
        views = self.ground.place(f"{name}-views")
        return UploadTable(extra_index=self.ground.place(name), endpoint_url=self.ground.endpoint_url, views=views)

    def wheels(self, folder: str, *names: str, **content: Any) -> Path:
        for name in names:
            make_wheel(self.folder / folder, name, **content)
        return self.folder / folder

    def upload(self, folder: str, index: str = "simple") -> None:
        for plan in api.plan_upload([self.folder / folder], self.config, self.settings(index)):
            api.upload(plan)

    def prepare(self) -> None:
        """Make the state that each trial begins with."""
        noise = {"foo_bar.bin": random.Random(0).randbytes(150_000)}  # noqa: S311 - the same in every run
        self.wheels("first", GENERIC, PLUS)
        self.wheels("part", PLUS.replace("cu128", "cu130"))
        self.wheels("large", PLUS.replace("1.0", "1.3"), GENERIC.replace("1.0", "1.3"), files=noise)
        self.wheels("staged", PLUS.replace("1.0", "1.1"), GENERIC.replace("1.0", "1.1"), files=noise)
        self.wheels("later", PLUS.replace("1.0", "1.2"), GENERIC.replace("1.0", "1.2"))
        for number in (1, 2, 3):
            self.wheels(f"night{number}", GENERIC.replace("1.0", f"2.0.dev{number}"))
            self.upload(f"night{number}")
        self.wheels("other", "baz-3-py3-none-any.whl", requires=("foo-bar == 2.0.dev1",))
        for name in ("first", "other"):
            self.upload(name)
        self.upload("later", "test")
        api.stage([self.folder / "staged"], "s1", self.config, self.settings())
        for name in (GENERIC, PLUS):
            plain = make_wheel(self.folder / "wild", name.replace("foo_bar", "wild"))
            self.put(f"wild/wild/{plain.name}", plain.read_bytes())
        self.state = self.ground.objects()

    def put(self, key: str, content: bytes) -> None:
        packed: Any = content
        if isinstance(self.ground, BucketGround):
            packed = (content, {}, hashlib.md5(content, usedforsecurity=False).hexdigest(), {})
        self.ground.restore({**self.ground.objects(), key: packed})

    def damage(self) -> None:
        """Overwrite a page, as no command of ours does."""
        self.put("simple/foo-bar/index.html", b"damaged")

    def end(self) -> object:
        """Return what an operation leaves: listings, what masters say besides, and the keys that are there."""
        there = self.ground.contents()
        masters = {
            key: ProjectIndex.parse(content)
            for key, content in there.items()
            if key.endswith("/index.json") and key.removeprefix(_root_of(key)).count("/") == 1
        }
        said = {
            key: (sorted((file.filename, file.sha256, file.yanked) for file in index.files), index.removed, index.leaving, index.status, index.views)
            for key, index in masters.items()
        }  # fmt: skip
        return said, sorted(key for key in there if ".variant-publish/" not in key), self.ground.unfinished()

    def broken(self) -> list[str]:
        """Return what is wrong with the indexes that lie there."""
        there = self.ground.contents()
        return [f"{root}: {fault}" for root in sorted(set(map(_root_of, there))) for fault in broken_files(there, root)]

    def run(self, name: str, disturbance: Disturbance | None = None) -> tuple[int, int]:
        """Run an operation in a process; return its exit code (0, 3 for an error of ours, -9) and the steps it took."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os._exit(self._child(name, disturbance, writing))
        os.close(writing)
        with os.fdopen(reading) as stream:
            text = stream.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code, int(text or 0)

    def _child(self, name: str, disturbance: Disturbance | None, writing: int) -> int:
        lock, taken = threading.Lock(), [0]

        def count() -> int:
            with lock:
                taken[0] += 1
                return taken[0]

        code = 0
        try:
            with suppress(ImportError):
                import botocore.retries.standard as standard

                standard.ExponentialBackoff.delay_amount = lambda *_: 0.005  # type: ignore[method-assign]
            import variant_publish.store.store as store

            store.PAUSES = (0.005,) * 7
            self.ground.disturb(disturbance, count)
            OPERATIONS[name](self)
        except VariantPublishError:
            code = 3
        except BaseException:
            traceback.print_exc()
            code = 9
        with suppress(OSError):
            os.write(writing, str(taken[0]).encode())
        return code


def _gc(scene: Scene) -> None:
    from datetime import UTC, datetime

    rules = api.CleanupRules(("foo-bar",), keep=1)
    api.clean_up(scene.settings(), api.plan_cleanup(scene.settings(), rules, datetime(2030, 1, 1, tzinfo=UTC)))


def _release(scene: Scene) -> None:
    api.release(api.plan_staged("s1", scene.config, scene.settings(), offline=True))


def _promote(scene: Scene) -> None:
    api.promote(api.plan_promotion([("foo-bar", "1.2")], scene.ground.place("test"), scene.config, scene.settings()))


def _remove(scene: Scene) -> None:
    api.remove(scene.settings(), api.plan_removal(scene.settings(), "foo-bar", ["1.0"]))


OPERATIONS: dict[str, Operation] = {
    "upload": lambda scene: scene.upload("large"),
    "upload a part": lambda scene: scene.upload("part"),
    "yank": lambda scene: api.yank(scene.settings(), "foo-bar", ["1.0"], "bad"),
    "status": lambda scene: api.set_status(scene.settings(), "foo-bar", "deprecated", "use baz"),
    "remove": _remove,
    "gc": _gc,
    "stage": lambda scene: api.stage([scene.folder / "later"], "s2", scene.config, scene.settings()),
    "release": _release,
    "abort": lambda scene: api.abort_staged("s1", scene.settings()),
    "promote": _promote,
    "adopt": lambda scene: api.adopt(scene.settings("wild"), hash_all=True),
    "repair": lambda scene: api.verify(scene.settings(), repair=True),
}


@dataclass
class Tally:
    """What came out of a campaign."""

    kills: int = 0
    faults: int = 0
    broken: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    by_operation: dict[str, dict[str, int]] = field(default_factory=dict)

    def table(self) -> dict[str, Any]:
        return {
            "kills": self.kills,
            "faults": self.faults,
            "broken": self.broken,
            "unfinished": self.unfinished,
            "crashed": self.crashed,
            "by operation": self.by_operation,
        }


def campaign(scene: Scene, seed: int, kills: int, faults: int, report: Callable[[Tally], object] = id) -> Tally:
    """Run trials; each operation's clean run says first how many steps it has and how it ends."""
    scene.prepare()
    for name in OPERATIONS:
        begin(scene, name)
        code, scene.steps[name] = scene.run(name)
        assert code == 0, f"{name} fails undisturbed"
        assert scene.broken() == []
        scene.ends[name] = scene.end()
    chance = random.Random(seed)  # noqa: S311 - the same choices in every run
    tally = Tally()
    trials = ["kill"] * kills + ["fault"] * faults
    chance.shuffle(trials)
    for number, trial in enumerate(trials):
        name = chance.choice(list(OPERATIONS))
        kinds = scene.ground.kills if trial == "kill" else scene.ground.faults
        lasts = trial == "fault" and chance.random() < 0.5
        disturbance = Disturbance(chance.randint(1, scene.steps[name]), chance.choice(kinds), lasts)
        _trial(scene, f"{seed}/{number} {name} {disturbance}", name, disturbance, tally)
        tally.kills += trial == "kill"
        tally.faults += trial == "fault"
        counts = tally.by_operation.setdefault(name, {"kill": 0, "fault": 0})
        counts[trial] += 1
        if number % 50 == 49:
            report(tally)
    return tally


def begin(scene: Scene, name: str) -> None:
    scene.ground.restore(scene.state)
    if name == "repair":
        scene.damage()


def _trial(scene: Scene, label: str, name: str, disturbance: Disturbance, tally: Tally) -> None:
    begin(scene, name)
    code, _ = scene.run(name, disturbance)
    if code not in (0, 3, -9):
        tally.crashed.append(label)
    if name != "repair" and (faults := scene.broken()):
        tally.broken.append(f"{label}: {faults[:3]}")
    again, _ = scene.run(name)
    end = scene.end()
    if again not in (0, 3):
        tally.crashed.append(f"{label}, again")
    if end != scene.ends[name] or scene.broken():
        tally.unfinished.append(f"{label}: {_difference(end, scene.ends[name])}")


def _difference(one: Any, two: Any) -> str:
    texts = [json.dumps(item, default=str, sort_keys=True, indent=0).splitlines() for item in (one, two)]
    return str([sorted(set(texts[0]) - set(texts[1]))[:6], sorted(set(texts[1]) - set(texts[0]))[:6]])


if __name__ == "__main__":
    kind, seed, kills, faults, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
    os.environ |= {
        "SOURCE_DATE_EPOCH": "1700000000",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ["AWS_SECRET_ACCESS_KEY"] = SECRET_KEY
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")

    def report(tally: Tally) -> None:
        sys.stderr.write(json.dumps({**tally.table(), "broken": len(tally.broken), "unfinished": len(tally.unfinished), "crashed": len(tally.crashed)}) + "\n")  # fmt: skip

    if kind == "folder":
        result = campaign(Scene(FolderGround(folder / "place"), folder / "files"), seed, kills, faults, report)
    else:
        with moto_process(folder) as server:
            result = campaign(Scene(BucketGround(server), folder / "files"), seed, kills, faults, report)
    sys.stdout.write(json.dumps(result.table(), indent=1) + "\n")
