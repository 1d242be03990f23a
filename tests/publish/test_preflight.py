"""What is found before the first byte is sent, and what is never told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.cli import run as run_command
from support.moto import ACCESS_KEY, BUCKET, SECRET_KEY, Moto
from support.publishing import CONFIG, GENERIC, PLUS, make_release
from support.pypi import PASSWORD, pypiserver
from support.soundness import objects
from support.wheels import make_wheel
from variant_publish.cli.logs import Redacting
from variant_publish.errors import VariantPublishError
from variant_publish.publish.pypi import check_metadata
from variant_publish.store.folder import LocalStore

TOKEN = "planted-session-token-of-the-tests"  # noqa: S105 - planted, so that tests can look for it
SECRETS = (SECRET_KEY, PASSWORD, TOKEN)


@pytest.fixture
def moto(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    return moto


def test_metadata_that_a_public_repository_refuses_is_told_at_once(tmp_path: Path) -> None:
    check_metadata(make_wheel(tmp_path / "good", GENERIC))
    bad = make_wheel(tmp_path, GENERIC, headers=["Requires-Python: nonsense", "Requires-Dist: a b c", "Dynamic: name"])
    with pytest.raises(VariantPublishError) as caught:
        check_metadata(bad)
    for word in ("nonsense", "a b c", "dynamic", GENERIC):
        assert word in caught.value.message


def test_a_folder_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VariantPublishError, match="bytes left"):
        LocalStore(tmp_path).preflight(2**62)


@contextmanager
def clean_logging() -> Iterator[None]:
    """Put the loggers back that `-vv` changes."""
    names = [name for name in logging.Logger.manager.loggerDict if name.partition(".")[0] in ("botocore", "urllib3")]
    loggers = [logging.getLogger(name) for name in (*names, "twine")]
    before = [(logger, logger.level, logger.handlers, logger.propagate) for logger in loggers]
    try:
        yield
    finally:
        for logger, level, handlers, propagate in before:
            logger.setLevel(level)
            logger.handlers, logger.propagate = handlers, propagate


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["none", "no such bucket", "wrong password"])
def test_no_secret_is_told_however_loud(
    moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    make_release(tmp_path / "dist", GENERIC, PLUS)
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    bucket = "no-such-bucket" if trouble == "no such bucket" else BUCKET
    expected = "something else" if trouble == "wrong password" else PASSWORD
    with pypiserver(tmp_path / "packages", password=expected) as repository, clean_logging():
        private = repository.replace("://", f"://me:{PASSWORD}@")
        result = run_command(
            "upload", str(tmp_path / "dist"), "-vv", "--config", str(config), "--extra-index", f"s3://{bucket}/simple",
            "--endpoint-url", moto.endpoint_url, "--repository-url", private, "--repository-index", f"{private}simple/",
            "--public-url", f"{moto.endpoint_url}/{bucket}/simple",
        )  # fmt: skip
    assert result.code == (0 if trouble == "none" else 1), result.stderr
    assert "urllib3.connectionpool" in result.stderr
    assert "botocore.auth" in result.stderr
    told = result.stdout + result.stderr
    told += "".join(f"{key}{content!r}" for key, content in objects(moto, "").items())
    for secret in SECRETS:
        assert secret not in told
    assert ACCESS_KEY not in told


@pytest.mark.parametrize(
    "text",
    [
        "'Authorization': b'AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=s3cr3t'",
        "x-amz-security-token:s3cr3t",
        "https://me:s3cr3t@host/simple",
        '{"token": "s3cr3t"}',
        "password=s3cr3t&x=1",
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str) -> None:
    record = logging.LogRecord("botocore", logging.DEBUG, "", 0, text, (), None)
    assert "s3cr3t" not in Redacting().format(record)
