"""Write small projects that can be built: one with a backend of its own, and a C extension for three real backends."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="no C compiler (cc) or no Python.h is installed here: install gcc and Python's headers",
)

V3 = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.build]
arguments = ["--no-isolation"]
[tool.variant-publish.variants.x86_64_v3]
properties = ["x86_64 :: level :: v3"]
build = {build}
"""

_BACKEND = """
import json, os, sys, tarfile, time
from pathlib import Path

def build_sdist(folder, settings=None):
    with tarfile.open(Path(folder, "tiny-1.0.tar.gz"), "w:gz") as archive:
        for name in ("pyproject.toml", "backend.py"):
            archive.add(name, "tiny-1.0/" + name)
    return "tiny-1.0.tar.gz"

def build_wheel(folder, settings=None, metadata=None):
    print("the backend speaks")
    patience = time.monotonic() + 30
    while not Path(os.environ.get("WAIT_FOR", ".")).exists():
        if time.monotonic() > patience:
            raise RuntimeError("nobody heard it")
        time.sleep(0.05)
    variant = os.environ["BUILD_VARIANT"]
    if os.environ.get("BREAK") == variant:
        Path(folder, "tiny-1.0-py3-none-any.whl").write_bytes(b"half a wheel")
        raise RuntimeError("the backend broke")
    seen = {{"settings": settings, "variant": variant, "flags": os.environ.get("CFLAGS"), "old": Path("left").exists()}}
    Path("left").touch()
    sys.path.insert(0, {tests!r})
    from support.wheels import make_wheel
    label = (settings or {{}}).get("variant-label")
    name = "tiny-1.0-py3-none-any" + ("-" + label if label else "") + ".whl"
    make_wheel(Path(folder), name, files={{"tiny.json": json.dumps(seen).encode()}})
    return name
"""


def make_project(folder: Path, configuration: str) -> Path:
    """Write a project whose backend notes in the wheel what it was asked for; BREAK names a variant that fails.

    It knows the setting `variant-label` of the draft on building variants.
    """
    folder.mkdir(parents=True)
    (folder / "backend.py").write_text(_BACKEND.format(tests=str(TESTS)), "utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "tiny"\nversion = "1.0"\n{configuration}',
        "utf-8",
    )
    return folder


_FUNCTIONS = 80  # enough for the rules that look at code
_C = (
    "#include <Python.h>\n"
    + "".join(
        f"__attribute__((noinline)) static void f{n}(float *a, const float *b)"
        f" {{ for (int i = 0; i < 64; i++) a[i] = a[i] * b[i] + {n}; }}\n"
        for n in range(_FUNCTIONS)
    )
    + "static PyObject *run(PyObject *self, PyObject *nothing) { float a[64] = {0}, b[64] = {0};\n"
    + "".join(f"f{n}(a, b);" for n in range(_FUNCTIONS))
    + """
return PyFloat_FromDouble(a[0]); }
static PyMethodDef methods[] = {{"run", run, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", "", -1, methods};
PyMODINIT_FUNC PyInit_tiny(void) {
    PyObject *made = PyModule_Create(&module);
#ifdef __AVX2__
    PyModule_AddStringConstant(made, "LEVEL", "v3");
#else
    PyModule_AddStringConstant(made, "LEVEL", "baseline");
#endif
    return made;
}
"""
)

_FILES = {
    "setuptools.build_meta": {
        "setup.py": 'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("tiny", ["tiny.c"])])\n',
    },
    "scikit_build_core.build": {
        "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.18...4.0)
project(tiny LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(tiny MODULE tiny.c WITH_SOABI)
set(TINY_LEVEL "" CACHE STRING "the instruction set")
if(TINY_LEVEL)
  target_compile_options(tiny PRIVATE -march=${TINY_LEVEL})
endif()
install(TARGETS tiny DESTINATION .)
""",
    },
    "mesonpy": {
        "meson.options": "option('level', type: 'string', value: '')\n",
        "meson.build": """\
project('tiny', 'c', version: '1.0')
level = get_option('level')
import('python').find_installation(pure: false).extension_module('tiny', 'tiny.c', install: true,
  c_args: level == '' ? [] : ['-march=' + level])
""",
    },
}

ASKING = {
    "setuptools.build_meta": '{ env = { CFLAGS = "-O3 -march=x86-64-v3" } }',
    "scikit_build_core.build": '{ config-settings = { "cmake.define.TINY_LEVEL" = "x86-64-v3" } }',
    "mesonpy": '{ config-settings = { setup-args = ["-Dlevel=x86-64-v3", "-Doptimization=3"] } }',
}
"""How each backend is asked for the x86-64-v3 build."""


def make_extension(folder: Path, backend: str = "setuptools.build_meta", configuration: str | None = None) -> Path:
    """Write a C extension, `tiny`, whose LEVEL says for which x86-64 level it was compiled."""
    folder.mkdir(parents=True)
    text = V3.replace("{build}", ASKING[backend]) if configuration is None else configuration
    pyproject = (
        f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n[project]\nname = "tiny"\nversion = "1.0"\n'
    )
    for name, content in {**_FILES[backend], "tiny.c": _C, "pyproject.toml": pyproject + text}.items():
        (folder / name).write_text(content, "utf-8")
    if backend == "mesonpy":  # makes sdists of what git knows
        who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "all"]):
            subprocess.run(["git", *command], cwd=folder, check=True)
    return folder
