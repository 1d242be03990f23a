"""A build backend (PEP 517) that builds nothing: it hands over the published wheel that fits this machine.

What there is to choose from, and under which conditions, stands in release.json beside this file, with the SHA-256 of
every wheel: nothing else is ever installed. Standard library only; Python 3.9 and later.

What users can say: `pip install -C cuda=12.8 -C x86_64_version=v2 NAME`, or `-C variant=generic`; a file written by
`variant-publish host --save FILE`, named in VARIANT_PUBLISH_HOST; NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION and
NV_VARIANT_PROVIDER_FORCE_SM_ARCH; and what stands in the preferences of variant-publish.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import ctypes
import glob
import hashlib
import http.client
import io
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tarfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

HERE = Path(__file__).resolve().parent
NONE = "none"
EVERYONE = ("null", "generic")
CHOICE = "variant-publish-choice.json"
LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
TIMEOUT, HURRY = 60.0, 10.0
LONGEST, SLOWEST = 60.0, 10_000
"""A download is given up after so many seconds, and one more for each so many bytes of it."""
TRIES = 3

Wheel = dict[str, Any]


class NoWheel(Exception):
    """Say why a wheel cannot be chosen or fetched, so that a fallback may be tried."""


# --- The hooks of PEP 517 -------------------------------------------------------------------------------------------


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Need nothing: this file uses the standard library."""
    return []


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    """Need nothing."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Write the metadata of the wheel that will be handed over; the wheel itself is not fetched yet."""
    data = _load()
    if data["mode"] == "requires":
        info, files = _empty_info(data, _variant(data, config_settings))
    else:
        machine = Machine(data, config_settings)
        wheel = _reachable(data, _choose(data, machine), machine)
        info = wheel["dist-info"]
        files = {file: _bytes(data["texts"][key]) for file, key in wheel["info"].items()}
        files[CHOICE] = json.dumps({"filename": wheel["filename"]}).encode()
    folder = Path(metadata_directory, info)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return str(info)


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Fetch the wheel that fits, check its SHA-256, make it a plain one, and give its name."""
    data, folder = _load(), Path(wheel_directory)
    if data["mode"] == "requires":
        return _empty_wheel(data, _variant(data, config_settings), folder)
    machine = Machine(data, config_settings)
    prepared = Path(metadata_directory, CHOICE) if metadata_directory else None
    if prepared is not None and prepared.exists():
        filename = json.loads(prepared.read_text("utf-8"))["filename"]
        chosen = next(wheel for wheel in data["wheels"] if wheel["filename"] == filename)
    else:
        chosen = _choose(data, machine)
    try:
        return _hand_over(chosen, data, folder)
    except NoWheel as error:
        other = _fallback(data, machine) if chosen["variant"] not in EVERYONE else None
        # What was resolved with the metadata of one wheel must not become another wheel with other dependencies.
        same = prepared is None or (other is not None and other["info"]["METADATA"] == chosen["info"]["METADATA"])
        if other is None or not same:
            what = f"{chosen['filename']} fits this machine and cannot be fetched"
            _give_up(data, what, str(error), machine, fits=True)
        _note(f"{error}: the generic wheel is taken, as {data['name']} says")
        try:
            return _hand_over(other, data, folder)
        except NoWheel as second:
            what = f"neither {chosen['filename']} nor the generic wheel can be fetched"
            _give_up(data, what, str(second), machine, fits=True)


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Pack this folder again."""
    data = _load()
    top = f"{data['distribution']}-{data['version']}"
    target = Path(sdist_directory, f"{top}.tar.gz")
    with tarfile.open(str(target), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(path for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            archive.add(str(path), f"{top}/{path.relative_to(HERE).as_posix()}")
    return target.name


# --- Choose ---------------------------------------------------------------------------------------------------------


def _load() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((HERE / "release.json").read_text("utf-8"))
    return data


def _choose(data: dict[str, Any], machine: Machine) -> Wheel:
    """Return the wheel for this machine; exit with an explanation where there is none."""
    try:
        variants = _variants(data, machine)
        fitting = {variant: _best(data, variant) for variant in variants}
        found = next((wheel for wheel in fitting.values() if wheel is not None), None)
        if found is None:
            raise NoWheel(_no_wheel(data, variants))
    except NoWheel as error:
        found = _fallback(data, machine)
        if found is None:
            _give_up(data, f"{data['name']} {data['version']} has no wheel for this machine", str(error), machine)
        _note(f"{error}: the generic wheel is taken, as {data['name']} says")
    _note(f"{data['name']} {data['version']}: {found['filename']} for {machine}")
    return found


def _variant(data: dict[str, Any], settings: dict[str, Any] | None) -> str:
    """Return the variant for this machine where other projects hold the wheels."""
    machine = Machine(data, settings)
    try:
        known = [variant for variant in _variants(data, machine) if variant in data["requires"]]
        if not known:
            raise NoWheel("no project is named for a machine like this one")
        found = known[0]
    except NoWheel as error:
        if data["fallback"] != "generic" or machine.variant is not None:
            _give_up(data, f"{data['name']} {data['version']} has nothing for this machine", str(error), machine)
        found = "generic"
        _note(f"{error}: the generic build is taken, as {data['name']} says")
    _note(f"{data['name']} {data['version']}: {', '.join(data['requires'][found])} for {machine}")
    return found


def _variants(data: dict[str, Any], machine: Machine) -> list[str]:
    """Return the variants that this machine can use, best first; generic ones fit whatever it is."""
    if machine.variant in EVERYONE:
        return [variant for variant in EVERYONE if variant in data["variants"]]
    row = next((row for row in data["rows"] if machine.meets(row["when"])), None)
    if row is None:
        unset = [name for name in data["variables"] if name not in machine.values]
        what = f"{unset[0]} is not known here" if unset else f"the table of the release does not know {machine}"
        raise NoWheel(what)
    variants: list[str] = row["variants"]
    if machine.variant is None:
        return variants
    if machine.variant not in variants:
        known = machine.variant in data["variants"]
        needs = f" needs {data['variants'][machine.variant]}" if known else " is none of its variants"
        raise NoWheel(f"{machine.variant!r} is asked for and{needs}")
    return [machine.variant]


def _best(data: dict[str, Any], variant: str) -> Wheel | None:
    """Return the wheel of a variant that fits this Python and platform best."""
    order = compatible()
    ranked = []
    for wheel in data["wheels"]:
        tags = ((python, abi, where) for python, abi, where in wheel["tags"])
        places = [order[tag] for tag in tags if tag in order] if wheel["variant"] == variant else []
        if places:
            number, letters = wheel["build"]
            ranked.append(((min(places), -number, letters), wheel))
    return min(ranked, key=lambda item: item[0])[1] if ranked else None


def _fallback(data: dict[str, Any], machine: Machine) -> Wheel | None:
    """Return the generic wheel, if the project has it taken, and the user has not asked for a certain variant."""
    if data["fallback"] != "generic" or machine.variant is not None:
        return None
    return next((wheel for wheel in (_best(data, variant) for variant in EVERYONE) if wheel is not None), None)


def _no_wheel(data: dict[str, Any], variants: list[str]) -> str:
    if not variants:
        return "every variant needs something that this machine has not, and there is no generic wheel"
    return f"there are wheels of {', '.join(variants)} for such a machine, but none for {_this_python()}"


def _this_python() -> str:
    order = compatible()
    return "{}-{} on {}".format(*min(order, key=order.__getitem__))


def _give_up(data: dict[str, Any], what: str, why: str, machine: Machine, *, fits: bool = False) -> NoReturn:
    """End with what was detected, what was looked for and what to do; installers print it as it is.

    `fits` says that a wheel was chosen, and could not be had.
    """
    needs = [f"{name} ({needs})" if needs else name for name, needs in data["variants"].items()]
    places = sorted({wheel["filename"].split("-", 2)[2] for wheel in data.get("wheels", ())})
    lines = [f"error: {what}: {why}", f"  this machine: {machine}; {_this_python()}"]
    lines.append(f"  the release has: {'; '.join(needs)}")
    lines += [f"  wheels: {', '.join(places)}"] if 0 < len(places) <= 12 else []
    lines += [f"  index: {data['index']}"] if data.get("index") else []
    if fits:
        lines.append("  what to do: check the connection to that index and try again; behind a proxy set HTTPS_PROXY")
    else:
        names = " ".join(f"-C {name}=VALUE" for name in data["variables"])
        install = "pip install --no-cache-dir"  # pip keeps what it built once, whatever -C says later
        lines.append("  what to do: if the detection is wrong, say what the machine has:")
        lines.append(f"    {install} {names} {data['name']}=={data['version']}")
        if any(name in data["variants"] for name in EVERYONE):
            lines.append(f"    or take the generic build: {install} -C variant=generic {data['name']}")
    raise SystemExit("\n".join(lines))


def _note(text: str) -> None:
    print(text, file=sys.stderr)


# --- The machine ----------------------------------------------------------------------------------------------------


class Machine:
    """Keep the values of the variables that the release chooses by, and the variant that the user asks for."""

    def __init__(self, data: dict[str, Any], settings: dict[str, Any] | None) -> None:
        given = {key: str(value[-1] if isinstance(value, list) else value) for key, value in (settings or {}).items()}
        self.variant = given.pop("variant", None)
        names = data["variables"]
        given = {f"abi_{key}" if f"abi_{key}" in names else key: value for key, value in given.items()}
        for key in sorted(set(given) - set(names)):
            _note(f"the setting {key!r} is none of variant, {', '.join(names)}: it is ignored")
        file = os.environ.get("VARIANT_PUBLISH_HOST")
        known = _read_toml(Path(file)).get("values", {}) if file else _limited(_detected(names))
        known.update({key: value for key, value in given.items() if key in names})
        self.values = {name: _spelled(name, str(value)) for name, value in known.items() if name in names}
        for name in names:
            if name in ("sm_arch", "gfx_arch", "rocm") or name.startswith("abi_"):
                self.values.setdefault(name, NONE)
        if self.values.get("cuda") == NONE and "sm_arch" in names:
            self.values["sm_arch"] = NONE

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.values.items()) or "any machine"

    def meets(self, when: dict[str, Any]) -> bool:
        """Say whether every condition of a row holds."""
        return all(name in self.values and _holds(name, self.values[name], test) for name, test in when.items())


def _holds(name: str, value: str, test: dict[str, Any]) -> bool:
    if "in" in test:
        return value in test["in"]
    if "not" in test:
        return value not in test["not"]
    if "release" in test or "not-release" in test:
        is_wanted = "release" in test
        prefixes = test["release" if is_wanted else "not-release"]
        return any(f"{value}.".startswith(f"{prefix}.") for prefix in prefixes) is is_wanted
    if value == NONE:
        return False
    key = _key(name, value)
    return bool(_key(name, test["from"]) <= key and ("to" not in test or key <= _key(name, test["to"])))


def _key(name: str, value: str) -> Any:
    if name == "x86_64_version":
        return LEVELS.index(value)
    return tuple(int(number) for number in re.findall("[0-9]+", value))


def _spelled(name: str, value: str) -> str:
    """Return a value as the table has it; exit for one that cannot be."""
    text = value.strip().lower()
    if name == "x86_64_version":
        level = text.replace("_", "-")
        level = f"x86-64-{level}" if re.fullmatch("v[1-4]", level) else level
        found = LEVELS[0] if level == "x86-64-v1" else level
        known = found in LEVELS or found == NONE
    elif name == "aarch64_version":
        found = re.sub("^armv", "", text)
        found = found if found.endswith("a") or found == NONE else found + "a"
        known = found == NONE or re.fullmatch(r"[0-9]+(\.[0-9]+)?a", found) is not None
    elif name in ("cuda", "sm_arch"):
        match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?(?:\.[0-9.]+)?", text)
        found = NONE if text == NONE else f"{match[1]}.{match[2] or 0}" if match else ""
        known = bool(found) and not (name == "sm_arch" and match is not None and match[2] is None)
    else:
        return value.strip()
    if not known:
        raise SystemExit(f"error: {name} cannot be {value!r}: write it like x86-64-v3, 8.2a, 12.8, 9.0 or none")
    return found


def _detected(names: list[str]) -> dict[str, str]:
    """Look at this machine, as far as the release asks for it."""
    values: dict[str, str] = {}
    here = platform.machine().lower()
    if "x86_64_version" in names:
        values["x86_64_version"] = x86_64_level() if here in ("x86_64", "amd64", "x64") else NONE
    if "aarch64_version" in names:
        values["aarch64_version"] = aarch64_version() if here in ("aarch64", "arm64") else NONE
    if "cuda" in names or "sm_arch" in names:
        values["cuda"], values["sm_arch"] = nvidia()
    if "gfx_arch" in names or "rocm" in names:
        values["gfx_arch"], values["rocm"] = amd()
    values.update({name: installed(name[len("abi_") :]) for name in names if name.startswith("abi_")})
    return values


def installed(project: str) -> str:
    """Return the release of a project that is installed for this interpreter, in spite of build isolation; or none."""
    for place in (*sys.path, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        for found in Path(place).glob("*.dist-info"):
            name, _, version = found.name[: -len(".dist-info")].partition("-")
            if re.sub("[-_.]+", "_", name).lower() == project:
                return version.partition("+")[0]
    return NONE


V2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}
V3 = {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}
V4 = {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}
MACOS_FLAGS = {
    "sse3": "pni",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "lahf": "lahf_lm",
    "lzcnt": "abm",
    "avx1.0": "avx",
}


def x86_64_level() -> str:
    """Return the level of the x86-64 psABI; the lowest where it cannot be told."""
    if sys.platform == "win32":
        has = ctypes.windll.kernel32.IsProcessorFeaturePresent  # type: ignore[attr-defined,unused-ignore]
        # Windows tells some instructions; whatever has these has the others of their level.
        steps = [has(38), has(40), has(41)]  # SSE4.2, AVX2, AVX512F
    else:
        if sys.platform == "darwin":
            text = _output(["sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features",
                            "machdep.cpu.extfeatures"])  # fmt: skip
            flags = {MACOS_FLAGS.get(flag, flag) for flag in text.lower().split()}
        else:
            flags = set(_cpuinfo("flags"))
        steps = [V2 <= flags, V3 <= flags, V4 <= flags]
    level = steps.index(False) if False in map(bool, steps) else len(steps)
    return LEVELS[level]


ARM = (
    ("8.1a", {"asimdrdm", "atomics", "crc32"}),
    ("8.2a", {"dcpop"}),
    ("8.3a", {"fcma", "jscvt", "lrcpc"}),
    ("8.4a", {"asimddp", "dit", "flagm", "ilrcpc", "uscat"}),
    ("8.5a", {"dcpodp", "flagm2", "frint", "sb"}),
    ("9.0a", {"sve2"}),
)


def aarch64_version() -> str:
    """Return the version of the Arm architecture; the lowest where it cannot be told."""
    if sys.platform == "darwin":
        return "8.4a"  # what every Mac with such a processor has
    flags, version = set(_cpuinfo("Features")), "8a"
    for known, needs in ARM:
        if not needs <= flags:
            break
        version = known
    return version


def _cpuinfo(key: str) -> list[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return []
    match = re.search(rf"^{key}\s*:(.*)$", text, re.MULTILINE)
    return match[1].split() if match else []


def nvidia() -> tuple[str, str]:
    """Return the CUDA version of the NVIDIA driver and the highest compute capability, "none" for what is not there."""
    driver, capability = _ask_driver()
    if driver != NONE and _key("cuda", driver) < (11, 0):
        driver = NONE
    forced = os.environ.get("NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION")
    if forced:
        driver = _spelled("cuda", forced)
    forced = os.environ.get("NV_VARIANT_PROVIDER_FORCE_SM_ARCH")
    if forced:
        capability = _spelled("sm_arch", forced)
    return driver, capability


def _ask_driver() -> tuple[str, str]:
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return _ask_tool()
    try:
        version, count, number = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        if library.cuInit(0) != 0 or library.cuDriverGetVersion(ctypes.byref(version)) != 0 or version.value <= 0:
            return NONE, NONE
        library.cuDeviceGetCount(ctypes.byref(count))
        found = []
        for device in range(count.value):
            pair = []
            for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
                library.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
                pair.append(number.value)
            found.append(tuple(pair))
    except AttributeError:  # a library of that name that is not the driver's
        return NONE, NONE
    driver = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return driver, f"{max(found)[0]}.{max(found)[1]}" if found else NONE


def _ask_tool() -> tuple[str, str]:
    match = re.search(r"CUDA Version:\s*([0-9]+\.[0-9]+)", _output(["nvidia-smi"]))
    if match is None:
        return NONE, NONE
    pairs = re.findall(r"^\s*([0-9]+)\.([0-9]+)\s*$", _output(["nvidia-smi", "--query-gpu=compute_cap",
                                                               "--format=csv,noheader"]), re.MULTILINE)  # fmt: skip
    best = max(((int(major), int(minor)) for major, minor in pairs), default=None)
    return match[1], f"{best[0]}.{best[1]}" if best else NONE


def amd() -> tuple[str, str]:
    """Return the architecture of the AMD GPU and the ROCm version, "none" for what is not there."""
    targets = []
    for file in glob.glob("/sys/class/kfd/kfd/topology/nodes/*/properties"):
        try:
            match = re.search(r"^gfx_target_version ([0-9]+)$", Path(file).read_text("utf-8"), re.MULTILINE)
        except OSError:
            continue
        targets.append(int(match[1]) if match else 0)
    target = max(targets, default=0)
    if not target:
        return NONE, NONE
    try:
        match = re.match(r"[0-9]+\.[0-9]+", Path("/opt/rocm/.info/version").read_text("utf-8").strip())
    except OSError:
        match = None
    return f"gfx{target // 10000}{target // 100 % 100:x}{target % 100:x}", match[0] if match else NONE


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=15, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _limited(values: dict[str, str]) -> dict[str, str]:
    """Return the values as far as the user's preferences allow them."""
    if os.environ.get("XDG_CONFIG_HOME"):
        folder = Path(os.environ["XDG_CONFIG_HOME"])
    elif sys.platform == "win32" and os.environ.get("APPDATA"):
        folder = Path(os.environ["APPDATA"])
    else:
        folder = Path("~/.config").expanduser()
    path = folder / "variant-publish" / "preferences.toml"
    if not path.is_file():
        return values
    preferences = _read_toml(path)
    for name, limit in preferences.get("limits", {}).items():
        value = values.get(name, NONE)
        if value != NONE:
            bound = _spelled(name, str(limit))
            values[name] = bound if bound == NONE or _key(name, bound) < _key(name, value) else value
    denied = preferences.get("providers", {}).get("deny", [])
    without = {"nvidia": ("cuda", "sm_arch"), "x86_64": ("x86_64_version",), "aarch64": ("aarch64_version",),
               "amd": ("gfx_arch", "rocm")}  # fmt: skip
    lowest = {"x86_64_version": LEVELS[0], "aarch64_version": "8a"}
    for name in (name for namespace in denied for name in without.get(namespace, ())):
        if values.get(name, NONE) != NONE:
            values[name] = lowest.get(name, NONE)
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    """Read a file of tables with strings and lists of strings, as variant-publish writes it; exit for any other."""
    try:
        text = path.read_text("utf-8")
        if sys.version_info >= (3, 11):
            import tomllib

            return tomllib.loads(text)
        return _simple_toml(text)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {path} cannot be read ({error}): 'variant-publish host --save' writes it") from None


def _simple_toml(text: str) -> dict[str, Any]:
    data: dict[str, Any] = {}
    table = data
    lines = (re.sub(r"""^((?:[^"#]|"(?:[^"\\]|\\.)*")*)#.*$""", r"\1", line).strip() for line in text.splitlines())
    # A list may go on over lines, which then end in its bracket or in a comma.
    for line in re.sub(r"([\[,])\n+", r"\1 ", "\n".join(lines)).split("\n"):
        if not line:
            continue
        head = re.fullmatch(r"\[([A-Za-z0-9_.-]+)\]", line)
        pair = re.fullmatch(r'([A-Za-z0-9_-]+|"[^"]*")\s*=\s*("(?:[^"\\]|\\.)*"|\[.*\]|[0-9]+|true|false)', line)
        if head:
            table = data
            for part in head[1].split("."):
                table = table.setdefault(part, {})
        elif pair:
            # A string or a list of strings of TOML is one of JSON, but for a comma at the end.
            table[pair[1].strip('"')] = json.loads(re.sub(r",\s*\]$", "]", pair[2]))
        else:
            raise ValueError(f"{line[:80]!r} is more than this Python can read")
    return data


# --- Compatibility tags (PEP 425, 600, 656), as the `packaging` library orders them ---------------------------------


def compatible() -> dict[tuple[str, str, str], int]:
    """Return the tags of wheels that this Python takes, with their place, best first; manylinux names are PEP 600's."""
    minor, places = sys.version_info[1], list(platforms())
    tags: list[tuple[str, str, str]] = []
    if sys.implementation.name == "cpython":
        own = f"cp3{minor}"
        threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        debug = "d" if bool(sysconfig.get_config_var("Py_DEBUG")) else ""
        abis = [f"{own}{'t' if threaded else ''}{debug}", *([own] if debug and not threaded else [])]
        abis += [] if threaded else ["abi3"]
        abis += ["none"]
        tags += [(own, abi, place) for abi in abis for place in places]
        if not threaded:
            tags += [(f"cp3{older}", "abi3", place) for older in range(minor - 1, 1, -1) for place in places]
    else:
        own = f"{sys.implementation.name.replace('py', 'p')[:2]}3{minor}"  # pypy is pp
        abi = "_".join((sysconfig.get_config_var("SOABI") or "none").split("-")[:2])
        tags += [(own, found, place) for found in (abi, "none") for place in places]
    generic = [f"py3{minor}", "py3", *(f"py3{older}" for older in range(minor - 1, -1, -1))]
    tags += [(python, "none", place) for python in generic for place in places]
    tags += [(own, "none", "any"), *((python, "none", "any") for python in generic)]
    return {tag: place for place, tag in reversed(list(enumerate(tags)))}


def platforms() -> Iterator[str]:
    """Return the platform tags of this machine, best first."""
    if sys.platform == "darwin":
        version = platform.mac_ver()[0]
        if version == "10.16":  # what a Python built long ago is told; a child process hears the truth
            code = "import platform; print(platform.mac_ver()[0])"
            version = _output(["env", "SYSTEM_VERSION_COMPAT=0", sys.executable, "-sS", "-c", code]).strip() or version
        yield from _macos(version, platform.machine())
    elif sys.platform.startswith("linux"):
        yield from _linux()
    else:
        yield re.sub("[-.]", "_", sysconfig.get_platform())


def _linux() -> Iterator[str]:
    arch = re.sub("[-.]", "_", sysconfig.get_platform()).replace("linux_", "", 1)
    if struct.calcsize("P") == 4:
        arch = {"x86_64": "i686", "aarch64": "armv8l"}.get(arch, arch)
    arches = ["armv8l", "armv7l"] if arch == "armv8l" else [arch]
    yield from (f"linux_{one}" for one in arches)
    glibc = _glibc()
    if glibc is not None:
        oldest = 5 if arch in ("x86_64", "i686") else 17
        yield from (f"manylinux_2_{minor}_{one}" for one in arches for minor in range(glibc, oldest - 1, -1))
    else:
        musl = _musl()
        yield from (f"musllinux_1_{minor}_{one}" for one in arches for minor in range(musl, -1, -1))


def _glibc() -> int | None:
    """Return N of glibc 2.N; None where this Python does not run on it."""
    try:
        match = re.fullmatch(r"glibc 2\.([0-9]+).*", os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):
        return None
    return int(match[1]) if match else None


def _musl() -> int:
    """Return N of musl 1.N; -1 where there is none."""
    for loader in sorted(glob.glob("/lib/ld-musl-*.so.1")):
        done = subprocess.run([loader], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False)
        match = re.search(r"^Version 1\.([0-9]+)", done.stderr, re.MULTILINE)
        if match:
            return int(match[1])
    return -1


def _macos(version: str, arch: str) -> Iterator[str]:
    numbers = [int(part) for part in version.split(".")[:2]]
    major, minor = numbers[0], numbers[1] if len(numbers) > 1 else 0
    if major >= 11:
        for number in range(major, 10, -1):
            yield from (f"macosx_{number}_0_{kind}" for kind in (arch, "universal2"))
        for number in range(16, 3, -1):
            yield from (f"macosx_10_{number}_{kind}" for kind in _macos_kinds(arch, number))
    else:
        for number in range(minor, 3, -1):
            yield from (f"macosx_10_{number}_{kind}" for kind in _macos_kinds(arch, number))


def _macos_kinds(arch: str, minor: int) -> list[str]:
    return ["universal2"] if arch == "arm64" else [arch, "intel", "fat64", "fat3", "universal2", "universal"]


# --- Fetch ----------------------------------------------------------------------------------------------------------


def _hand_over(wheel: Wheel, data: dict[str, Any], folder: Path) -> str:
    """Put the wheel into the folder under its plain name; NoWheel where it cannot be had."""
    target, part = folder / wheel["plain"], folder / (wheel["plain"] + ".part")
    try:
        digest = _fetch(wheel, part)
        if digest != wheel["sha256"]:
            raise SystemExit(
                f"error: {wheel['url']} is not the wheel of this release: its SHA-256 is {digest}, and the sdist wants"
                f" {wheel['sha256']}\n  what to do: do not install it; tell the publisher of {data['name']}"
            )
        if wheel["filename"] == wheel["plain"]:
            part.replace(target)
        else:
            make_plain(part, target, wheel, {file: _bytes(data["texts"][key]) for file, key in wheel["info"].items()})
    finally:
        with contextlib.suppress(OSError):  # it is not there, or what was given up still writes it
            part.unlink()
    return str(wheel["plain"])


def _fetch(wheel: Wheel, part: Path) -> str:
    """Write the bytes of a wheel to a file and give their SHA-256."""
    if wheel.get("embedded"):
        shutil.copyfile(str(HERE / wheel["embedded"]), str(part))
        return hashlib.sha256(part.read_bytes()).hexdigest()
    end = time.monotonic() + LONGEST + wheel["size"] / SLOWEST
    try:
        return str(_in_time(end, lambda: _download(wheel, part, end)))
    except OSError as error:
        raise NoWheel(f"{wheel['url']} cannot be read ({error})") from error


def _download(wheel: Wheel, part: Path, end: float) -> str:
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(attempt)
        try:
            with _open(wheel["url"]) as answer, part.open("wb") as stream:
                size, digest = _copy(answer, stream, wheel["size"], end)
            if size >= wheel["size"]:
                return digest
            reason = f"{size} bytes of {wheel['size']} arrived"
        except urllib.error.HTTPError as error:
            reason = str(error)
            if error.code < 500 and error.code != 429:
                break
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
        if time.monotonic() > end:
            break
    raise OSError(reason)


def _in_time(end: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns; raise TimeoutError where it takes longer.

    The timeout of a socket is one of each read: a server that sends a byte a second, of a handshake or a header, would
    keep it waiting for ever.
    """
    done: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            done.append((call(), None))
        except BaseException as error:  # raised below, in the thread that asked
            done.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(max(0.0, end - time.monotonic()))
    if not done:
        raise TimeoutError("the answer comes too slowly")
    result, error = done[0]
    if error is not None:
        raise error
    return result


def _copy(answer: Any, stream: BinaryIO, most: int, end: float) -> tuple[int, str]:
    """Copy what a server sends, to one byte beyond the listed size; return how much it was, and its SHA-256."""
    size, digest = 0, hashlib.sha256()
    while size <= most:
        chunk = answer.read1(min(1 << 18, most + 1 - size))
        if not chunk:
            break
        if time.monotonic() > end:
            raise TimeoutError("the answer comes too slowly")
        stream.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _reachable(data: dict[str, Any], wheel: Wheel, machine: Machine) -> Wheel:
    """Return the wheel, or the fallback where its index does not answer: metadata must be that of what is used."""
    other = _fallback(data, machine)
    if other is None or wheel is other or wheel.get("embedded"):
        return wheel
    try:
        _in_time(time.monotonic() + HURRY, lambda: _open(wheel["url"], method="HEAD").close())
    except urllib.error.HTTPError as error:
        if error.code in (403, 405, 501):  # a server without HEAD
            return wheel
        _note(f"{wheel['url']} cannot be read ({error}): the generic wheel is taken, as {data['name']} says")
        return other
    except (OSError, http.client.HTTPException) as error:
        _note(f"{wheel['url']} cannot be read ({error}): the generic wheel is taken, as {data['name']} says")
        return other
    return wheel


class NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but for those that leave https: whoever is on the way could answer from there on.

    What such an answer holds besides is not read: it may have no end.
    """

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> Any:
        """Return the next request; raise URLError where it would leave https."""
        fp.close()
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError(f"it redirects from https to {newurl.partition(':')[0]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str, method: str = "GET") -> Any:
    if not url.startswith(("https://", "http://", "file://")):
        raise SystemExit(f"error: {url} is no URL that can be fetched: tell the publisher")
    handlers: list[urllib.request.BaseHandler] = [NoDowngrade()]
    bundle = os.environ.get("PIP_CERT") or os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle and url.startswith("https://"):
        import ssl

        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle)))
    request = urllib.request.Request(url, method=method, headers={"Accept-Encoding": "identity"})
    return urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT)


# --- Wheels ---------------------------------------------------------------------------------------------------------


def make_plain(source: Path, target: Path, wheel: Wheel, info: dict[str, bytes]) -> None:
    """Write the wheel without its extra tags or label: dist-info files changed or dropped, all else copied as it is."""
    folder = wheel["dist-info"]
    changed = {f"{folder}/{file}": content for file, content in info.items() if file in wheel["changed"]}
    gone = {f"{folder}/{file}" for file in wheel["dropped"]}
    record = f"{folder}/RECORD"
    with zipfile.ZipFile(str(source)) as old, zipfile.ZipFile(str(target), "w", allowZip64=True) as new:
        model = old.getinfo(f"{folder}/WHEEL")
        changed[record] = _record(old.read(record), record, changed, gone)
        members = sorted(old.infolist(), key=lambda member: member.header_offset)
        ends = [*(member.header_offset for member in members[1:]), old.start_dir]
        assert old.fp is not None  # noqa: S101
        for member, end in zip(members, ends):
            if member.filename not in changed and member.filename not in gone:
                _copy_raw(old.fp, member, end, new)  # type: ignore[arg-type,unused-ignore]
        for path, content in changed.items():
            entry = zipfile.ZipInfo(path, model.date_time)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, model.external_attr
            entry.create_system = model.create_system
            new.writestr(entry, content)


def _copy_raw(source: BinaryIO, member: zipfile.ZipInfo, end: int, new: zipfile.ZipFile) -> None:
    """Copy one entry, from its header to the next one, without unpacking it; the new directory is like the old one."""
    stream: Any = new.fp
    source.seek(member.header_offset)
    stream.seek(new.start_dir)
    left = end - member.header_offset
    member.header_offset, member.extra = new.start_dir, _without_zip64(member.extra)
    while left:
        chunk = source.read(min(left, 1 << 20))
        if not chunk:
            raise SystemExit(f"error: the wheel ends inside of {member.filename}: tell the publisher")
        stream.write(chunk)
        left -= len(chunk)
    new.start_dir = stream.tell()
    new.filelist.append(member)
    new.NameToInfo[member.filename] = member


def _without_zip64(extra: bytes) -> bytes:
    """Return an extra field without its zip64 part, which tells the old place; zipfile adds one where it is needed."""
    kept, place = b"", 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        kept += extra[place : place + 4 + size] if kind != 1 else b""
        place += 4 + size
    return kept


def _record(text: bytes, path: str, changed: dict[str, bytes], gone: set[str]) -> bytes:
    """Return RECORD with the rows of changed files; its own row comes last."""
    rows = [row for row in csv.reader(io.StringIO(text.decode("utf-8"), newline="")) if row]
    kept = [row for row in rows if row[0] not in changed and row[0] not in gone and row[0] != path]
    for name, content in changed.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        kept.append([name, f"sha256={digest}", str(len(content))])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([*kept, [path, "", ""]])
    return out.getvalue().encode("utf-8")


def _empty_info(data: dict[str, Any], variant: str) -> tuple[str, dict[str, bytes]]:
    """Return the dist-info folder of a wheel that only requires others: PKG-INFO, with what was dynamic."""
    text = (HERE / "PKG-INFO").read_bytes().decode("utf-8", "surrogateescape")
    head, separator, body = text.partition("\n\n")
    lines = [line for line in head.splitlines() if not line.startswith("Dynamic:")]
    lines += [f"Requires-Dist: {requirement}" for requirement in data["requires"][variant]]
    wheel = "Wheel-Version: 1.0\nGenerator: variant-publish stub\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {"METADATA": _bytes("\n".join(lines) + (separator or "\n\n") + body), "WHEEL": wheel.encode()}
    return f"{data['distribution']}-{data['version']}.dist-info", files


def _empty_wheel(data: dict[str, Any], variant: str, folder: Path) -> str:
    info, files = _empty_info(data, variant)
    changed = {f"{info}/{name}": content for name, content in files.items()}
    changed[f"{info}/RECORD"] = _record(b"", f"{info}/RECORD", changed, set())
    name = f"{data['distribution']}-{data['version']}-py3-none-any.whl"
    with zipfile.ZipFile(str(folder / name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in changed.items():
            entry = zipfile.ZipInfo(path)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(entry, content)
    return name


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
