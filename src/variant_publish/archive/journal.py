"""The journal of an in-place rewrite: what a wheel's end will be, written down before the wheel is touched.

`.NAME.whl.retag-journal` lies beside the wheel and holds the new end of the file, its new name, and a checksum. The
order is: journal, sync; the wheel gets a hidden name; its end is written, sync; it gets its new name; the journal goes.
So no half-written file ever has the name of a wheel, and whoever meets a journal after a kill knows what to do: where
the hidden file is there, write the end (again, which gives the same bytes however often it is done) and go on; else
nothing has been touched yet, or all is done, and only the journal goes. See `recover_folder` and `recover_wheel`.

A journal is taken up again only by its owner, and only regular files with one name are written to: another user of a
shared folder cannot have this user's files overwritten.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import msgspec

from variant_publish.archive.locking import try_lock
from variant_publish.archive.transfer import Sink, read_exactly, write_all
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.typed import prepared
from variant_publish.model.plain_name import InvalidWheelName

_FOOTER = struct.Struct("<2Q32s8s")
_MAGIC = b"VPRETAG1"
_SUFFIX = ".retag-journal"
_PIECE = 1024 * 1024
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


Place = Annotated[int, msgspec.Meta(ge=0)]
"""A place in a file."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a journal asks for: the file from `cut` on is replaced by `tail` bytes, and it gets the name `new`."""

    new: str
    cut: Place
    tail: Place

    def __post_init__(self) -> None:
        if Path(self.new).name != self.new:
            raise InvalidWheelName(f"{self.new!r} is not a wheel's file name")
        WheelName.parse(self.new)


class Journal:
    """One journal, open and locked: others leave a rewrite alone that is still going on."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.is_left = False
        self.wheel = _wheel_of(path)

    @classmethod
    @contextmanager
    def create(cls, wheel: Path) -> Iterator[Journal]:
        """Begin the journal of a wheel; it is removed again if the work fails before the wheel is touched."""
        path = _journal_of(wheel)
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError as error:
            raise _busy(path) from error
        with _open(path, descriptor) as journal:
            try:
                yield journal
            except BaseException:
                if not journal.hidden.exists():
                    journal.discard()
                raise

    def seal(self, new: str, cut: int) -> None:
        """Complete the journal: the end of the file is in it, and goes behind `cut`."""
        length = os.lseek(self.descriptor, 0, os.SEEK_END)
        text = msgspec.json.encode(Order(new, cut, length))
        write_all(self.descriptor, text)
        digest = self._checksum(length + len(text))
        write_all(self.descriptor, _FOOTER.pack(length, len(text), digest, _MAGIC))
        os.fsync(self.descriptor)
        _sync_folder(self.path.parent)

    def begin(self) -> None:
        """Return the wheel its hidden name: from here on the rewrite is finished, whatever happens."""
        self.wheel.replace(self.hidden)
        _sync_folder(self.hidden.parent)  # the name must be gone on the disk before the bytes are

    def order(self) -> Order | None:
        """Return what the journal asks for; None where it is not complete."""
        size = os.fstat(self.descriptor).st_size
        if size < _FOOTER.size:
            return None
        tail, length, digest, magic = _FOOTER.unpack(
            read_exactly(self.descriptor, size - _FOOTER.size, _FOOTER.size)
        )  # fmt: skip
        if magic != _MAGIC or tail + length + _FOOTER.size != size or self._checksum(tail + length) != digest:
            return None
        try:
            order = msgspec.json.decode(read_exactly(self.descriptor, tail, length), type=prepared(Order))
            return order if order.tail == tail else None
        except (msgspec.DecodeError, VariantPublishError):
            return None

    def finish(self) -> Path:
        """Finish the rewrite if it has begun, remove the journal, and give the place where the wheel is then."""
        order = self.order()
        place = self.wheel
        if order is None and self.hidden.exists():
            raise self._damaged()
        if order is not None:
            new = self.path.with_name(order.new)
            if self.hidden.exists():
                self._rewrite(order, new)
            if not place.exists():
                place = new
        self.discard()
        return place

    def discard(self) -> None:
        """Remove the journal: now, or on systems that remove no open file (Windows) once it is closed."""
        try:
            self.path.unlink(missing_ok=True)
        except PermissionError:
            self.is_left = True

    @property
    def hidden(self) -> Path:
        """Return the name that the wheel has while it is rewritten."""
        return self.wheel.with_name(f".{self.wheel.name}.retagging")

    def _rewrite(self, order: Order, new: Path) -> None:
        if new != self.wheel and new.exists():
            raise VariantPublishError(
                f"{self.wheel} cannot be renamed: {new.name} exists already", hint="move that away, and run this again"
            )
        try:
            descriptor = os.open(self.hidden, _FLAGS)
        except OSError as error:  # a symbolic link, a folder, no permission
            raise VariantPublishError(
                f"{self.hidden} cannot be opened to finish its retagging ({error.strerror})",
                hint="remove it, and build the wheel again",
            ) from error
        try:
            _check_own(self.hidden, descriptor, like=self.descriptor)
            if order.cut > os.fstat(descriptor).st_size:
                raise self._damaged()
            os.lseek(descriptor, order.cut, os.SEEK_SET)
            sink = Sink(descriptor, start=order.cut)
            sink.copy(self.descriptor, 0, order.tail, lambda count: None)
            sink.flush()
            os.ftruncate(descriptor, order.cut + order.tail)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.hidden.replace(new)
        _sync_folder(new.parent)

    def _damaged(self) -> VariantPublishError:
        return VariantPublishError(
            f"{self.path} is damaged, and {self.hidden.name} cannot be finished without it",
            hint="build the wheel again, and remove both",
        )

    def _checksum(self, length: int) -> bytes:
        digest = hashlib.sha256()
        for offset in range(0, length, _PIECE):
            digest.update(read_exactly(self.descriptor, offset, min(_PIECE, length - offset)))
        return digest.digest()


def unfinished(place: Path) -> list[Path]:
    """Return the wheels whose retagging was cut off or goes on, by their old names: in a folder, or the one named."""
    if place.is_dir():
        return [_wheel_of(path) for path in sorted(place.glob(f".*.whl{_SUFFIX}"))]
    return [place] if _journal_of(place).exists() else []


def recover(place: Path) -> Path:
    """Finish or undo what a kill has left in a folder or of one wheel; return where it is then."""
    if place.is_dir():
        recover_folder(place)
        return place
    return recover_wheel(place)


def recover_folder(folder: Path) -> None:
    """Finish or undo what a kill has left in a folder; raise VariantPublishError where that is not possible."""
    for path in sorted(folder.glob(f".*.whl{_SUFFIX}")):
        with _opened(path) as journal:
            journal.finish()


def recover_wheel(wheel: Path) -> Path:
    """Finish or undo what a kill has left of one wheel, named by its old or new name; give the place of the wheel."""
    own = _journal_of(wheel)
    if own.exists():
        with _opened(own) as journal:
            return journal.finish()
    if not wheel.exists():
        for path in sorted(wheel.parent.glob(f".*.whl{_SUFFIX}")):
            with suppress(_Busy), _opened(path) as journal:
                order = journal.order()
                if order is not None and order.new == wheel.name:
                    journal.finish()
    return wheel


class _Busy(VariantPublishError):
    pass


def _busy(path: Path) -> _Busy:
    return _Busy(f"{_wheel_of(path)} is being retagged by another process", hint="run this again when it is done")


def _wheel_of(journal: Path) -> Path:
    return journal.with_name(journal.name.removeprefix(".").removesuffix(_SUFFIX))


def _journal_of(wheel: Path) -> Path:
    return wheel.with_name(f".{wheel.name}{_SUFFIX}")


@contextmanager
def _opened(path: Path) -> Iterator[Journal]:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise VariantPublishError(
            f"{path} is left of a retagging that was cut off, and cannot be opened ({error.strerror})",
            hint="run this where the wheels can be written",
        ) from error
    with _open(path, descriptor) as journal:
        _check_own(path, descriptor)
        yield journal


@contextmanager
def _open(path: Path, descriptor: int) -> Iterator[Journal]:
    """Lock an open journal; it must still be the one at its place, for its owner may have removed it meanwhile."""
    journal = Journal(path, descriptor)
    try:
        try:
            if not try_lock(descriptor) or not os.path.samestat(path.stat(), os.fstat(descriptor)):
                raise _busy(path)
        except FileNotFoundError as error:
            raise _busy(path) from error
        yield journal
    finally:
        os.close(descriptor)
        if journal.is_left:
            with suppress(PermissionError):  # another process has taken it up meanwhile, and removes it
                path.unlink(missing_ok=True)


def _check_own(path: Path, descriptor: int, *, like: int | None = None) -> None:
    """Raise VariantPublishError unless an open file is regular, has one name, and is this user's.

    With `like`, the owner of that open file counts as well.
    """
    state = os.fstat(descriptor)
    owners = {getattr(os, "geteuid", lambda: state.st_uid)()} | ({os.fstat(like).st_uid} if like is not None else set())
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
        raise VariantPublishError(
            f"{path} is a link or has other names, so what is written to it could change another file",
            hint="remove it, and build the wheel again",
        )
    if state.st_uid not in owners:
        raise VariantPublishError(
            f"{path} belongs to another user, whose retagging was cut off", hint="have that user run retag again"
        )


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
