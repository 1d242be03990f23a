"""Run a stranger's selector function or provider plugin: only if allowed by name, in an environment of its own.

What it says is stored with the machine (`variants.toml`); nothing of it runs while wheels are chosen or installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.selector_toml import Selector
from variant_publish.formats.variants_json import Provider
from variant_publish.install.client import Client, Demand
from variant_publish.install.environment import Environment
from variant_publish.model.variant import Property
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.serve.loopback import serving
from variant_publish.serve.projects import Projects

LIMIT_S = 60.0
"""How long one function may take, its imports included."""

_ANSWER_LIMIT = 1 << 20
_KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
"""What a stranger's code sees of the environment: no tokens, no home."""

_LOAD = """
import importlib, json, sys
module, _, path = sys.argv[1].partition(":")
found = importlib.import_module(module)
for part in filter(None, path.split(".")):
    found = getattr(found, part)
"""
_FUNCTION = _LOAD + "answer = found()\n"
_PLUGIN = (
    _LOAD
    + """
plugin = found() if isinstance(found, type) else found
answer = {item.name: list(item.values) for item in plugin.get_supported_configs()}
"""
)
_TELL = "with open(sys.argv[2], 'w', encoding='utf-8') as stream:\n    json.dump(answer, stream)\n"

Make = Callable[[Environment], Client]
"""Return the client that installs into an environment."""


class Sandbox(msgspec.Struct, frozen=True):
    """Run code in a virtual environment that is made for it, with a time limit.

    It keeps a provider's packages away from everything else; it is no barrier against malice, so `allowed` must name
    whatever runs.
    """

    client: Make
    allowed: Collection[str]
    projects: Projects
    limit_s: float = LIMIT_S

    def value(self, variable: str, selector: Selector, environ: Mapping[str, str], reporter: Reporter) -> str:
        """Return what the function of a selector variable says: one string."""
        self._permit(variable, selector.requires)
        if len(selector.function) != 1:
            raise VariantPublishError(
                f"selector variable {variable!r} names {len(selector.function)} functions instead of one",
                hint=f"set it yourself: --set {variable}=VALUE",
            )
        answer = self._run(variable, selector.requires, _FUNCTION, selector.function[0], environ, reporter)
        if not isinstance(answer, str):
            raise VariantPublishError(
                f"{selector.function[0]} gave {answer!r}, which is no string",
                hint=f"set it yourself: --set {variable}=VALUE",
            )
        return answer

    def features(
        self, namespace: str, provider: Provider, environ: Mapping[str, str], reporter: Reporter
    ) -> dict[str, tuple[str, ...]]:
        """Return the supported values of each feature that a plugin (PEP 850) tells, best first."""
        self._permit(namespace, provider.requires)
        default = provider.requires[0].partition(";")[0].strip().replace("-", "_")
        target = provider.plugin_api or default
        answer = self._run(namespace, provider.requires, _PLUGIN, target, environ, reporter)
        try:
            found = {feature: tuple(values) for feature, values in dict(answer).items()}  # type: ignore[call-overload]
            for feature, values in found.items():
                for value in values:
                    Property(namespace, feature, value)
        except (TypeError, ValueError, UsageError) as error:
            raise VariantPublishError(
                f"the plugin {target} of {namespace} gave {answer!r}, which are no features",
                hint="report it to whoever wrote the provider",
            ) from error
        return found

    def _permit(self, name: str, requires: tuple[str, ...]) -> None:
        if name not in self.allowed:
            raise UsageError(
                f"{name} is told by code of {' '.join(requires) or 'nobody'}, which you have not allowed",
                hint=f"allow it by name (--allow {name}), or give it a value yourself (--set {name}=VALUE)",
            )

    def _run(
        self,
        name: str,
        requires: tuple[str, ...],
        code: str,
        target: str,
        environ: Mapping[str, str],
        reporter: Reporter,
    ) -> object:
        reporter.note(f"running {target} of {' '.join(requires)} for {name}, as you allow")
        with tempfile.TemporaryDirectory() as folder:
            place, answer = Path(folder, "environment"), Path(folder, "answer.json")
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, capture_output=True)
            environment = Environment.of(place, None, {})
            with serving(self.projects) as view:
                self.client(environment).install(Demand(requires), view.url, (), SILENT)
            kept = {key: environ[key] for key in _KEPT if key in environ} | {"HOME": folder, "TMPDIR": folder}
            command = [str(environment.python), "-I", "-c", code + _TELL, target, str(answer)]
            try:
                subprocess.run(
                    command,
                    env=kept,
                    cwd=folder,
                    capture_output=True,
                    encoding="utf-8",
                    check=True,
                    timeout=self.limit_s,
                )  # fmt: skip
                return json.loads(answer.read_bytes()[:_ANSWER_LIMIT])
            except subprocess.TimeoutExpired as error:
                reason = f"took longer than {self.limit_s:g} s"
                raise _failed(name, target, reason) from error
            except subprocess.CalledProcessError as error:
                lines = str(error.stderr).strip().splitlines()
                raise _failed(name, target, lines[-1] if lines else f"exit status {error.returncode}") from error
            except (OSError, ValueError) as error:
                raise _failed(name, target, str(error)) from error


def evaluated(
    machine: Machine,
    files: SelectorFiles,
    sandbox: Sandbox,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> Machine:
    """Return the machine with what the allowed functions and plugins of a release say; what is known stays.

    Raises UsageError where nothing tells one that is not allowed, and VariantPublishError where one fails.
    """
    values, features = dict(machine.values), dict(machine.evaluated)
    for variable, selector in _strangers(machine, files):
        if isinstance(selector, Selector):
            values[variable] = sandbox.value(variable, selector, environ, reporter)
        else:
            features[variable] = sandbox.features(variable, selector, environ, reporter)
    return replace(machine, values=values, evaluated=features)


def _strangers(machine: Machine, files: SelectorFiles) -> Iterator[tuple[str, Selector | Provider]]:
    """Return what this tool does not know by itself: variables without a value, and plugins of other namespaces."""
    for variable, selector in files.selector.selectors.items() if files.selector is not None else ():
        if machine.value(variable) is None:
            yield variable, selector
    for namespace, provider in files.variants.providers.items() if files.variants is not None else ():
        known = namespace in machine.evaluated or catalog.find(namespace) is not None
        if provider.requires and not known:
            yield namespace, provider


def _failed(name: str, target: str, reason: str) -> VariantPublishError:
    return VariantPublishError(
        f"{target}, which tells {name}, failed: {reason}", hint=f"set it yourself: --set {name}=VALUE"
    )
