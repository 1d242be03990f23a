"""The view for a team: `/m/MACHINE/simple/` as a WSGI application, for any server of that kind.

MACHINE says what the machines have, as in `cuda12.8,x86_64_v3`, or `generic`. Nothing is kept that another process
would need, so any number of them may stand behind a balancer.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from variant_publish.errors import UsageError
from variant_publish.model.variant import GENERIC
from variant_publish.providers import catalog
from variant_publish.providers.machine import Machine
from variant_publish.serve.application import ViewApplication
from variant_publish.serve.projects import Projects
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view.indexes import Indexes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATH = re.compile(r"/m/([a-z0-9_.,]{1,200})/.*")
_MACHINES = 64


class TeamApplication:
    """Answer for the machine that the path names; `indexes` are as `--index` has them."""

    def __init__(self, indexes: Iterable[str], default: str | None, environ: Mapping[str, str]) -> None:
        self.indexes, self.default = Indexes.parse(indexes), default
        self.cache = WheelCache.of_user(environ)
        self._applications: OrderedDict[str, ViewApplication] = OrderedDict()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        match = _PATH.fullmatch(Request(environ).path)
        try:
            answer = self._application(match[1]) if match else Response("try /m/MACHINE/simple/PROJECT/\n", 404)
        except UsageError as error:
            answer = Response(f"{error}\n", 404, mimetype="text/plain")
        return answer(environ, start_response)

    def _application(self, words: str) -> ViewApplication:
        found = self._applications.pop(words, None)
        if found is None:
            projects = Projects(self.indexes, self.default, machine_of_words(words), self.cache)
            found = ViewApplication(projects, f"/m/{words}")
        self._applications[words] = found
        while len(self._applications) > _MACHINES:
            self._applications.popitem(last=False)
        return found


def machine_of_words(text: str) -> Machine:
    """Return the machine of words like `cuda12.8,x86_64_v3`; it has the lowest CPU and no GPU where nothing is said.

    Raises UsageError for a word that is not known, and for two values of one variable.
    """
    found = list(map(_setting, text.split(","))) if text != GENERIC else []
    settings = dict(found)
    if len(settings) < len(found):
        raise UsageError(f"{text!r} has two values of one variable", hint="write it like cuda12.8,x86_64_v3")
    return Machine({item.name: item.lowest for item in catalog.variables()}, (), "3").described(settings)


def _setting(word: str) -> tuple[str, str]:
    """Return variable and value: the word is the value, or the variable's name in short and the value."""
    for variable in catalog.variables():
        short = variable.name.removesuffix("_version").removesuffix("_arch")
        for text in (word, word.removeprefix(short).removeprefix("_")) if word.startswith(short) else ():
            if (value := variable.parse(text)) is not None:
                return variable.name, value
    raise UsageError(f"{word!r} describes no machine", hint="write it like cuda12.8,x86_64_v3, or generic")


def application() -> TeamApplication:
    """Return the application for the indexes in VARIANT_PUBLISH_INDEX (separated by spaces); for WSGI servers."""
    import os

    from variant_publish.remote.default_index import default_index

    indexes = os.environ.get("VARIANT_PUBLISH_INDEX", "").split()
    if not indexes:
        raise UsageError("VARIANT_PUBLISH_INDEX names no index", hint="set it to the URLs of indexes")
    return TeamApplication(indexes, default_index(os.environ), os.environ)
