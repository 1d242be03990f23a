from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest

from support.nvidia import Driver
from variant_publish.errors import UsageError
from variant_publish.providers.nvidia import Nvidia, lower_bounds, parse_pair, sm_values, upper_bounds


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    def put(driver: object) -> None:
        def load(name: str) -> object:
            if isinstance(driver, Exception):
                raise driver
            return driver

        monkeypatch.setattr(ctypes, "CDLL", load)

    return put


def test_the_driver_tells_its_cuda_version_and_the_best_device(install: Callable[[object], None]) -> None:
    install(Driver(12080, (8, 6), (9, 0), (7, 5)))
    assert Nvidia().detect({}) == {"cuda": "12.8", "sm_arch": "9.0"}


@pytest.mark.parametrize(
    "driver",
    [OSError("libcuda.so.1: cannot open"), object(), Driver(12080, init=100), Driver(0), Driver(10020), Driver(16000)],
)
def test_a_driver_that_is_not_there_or_not_known_is_none(install: Callable[[object], None], driver: object) -> None:
    install(driver)
    assert Nvidia().detect({}) == {"cuda": "none"}


def test_a_driver_without_devices_has_no_capability(install: Callable[[object], None]) -> None:
    install(Driver(12080))
    assert Nvidia().detect({}) == {"cuda": "12.8"}


def test_the_environment_overrides_the_driver(install: Callable[[object], None]) -> None:
    install(Driver(12080, (8, 6)))
    assert Nvidia().detect({"NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION": "13.0"}) == {
        "cuda": "13.0",
        "sm_arch": "8.6",
    }
    assert Nvidia().detect({"NV_VARIANT_PROVIDER_FORCE_SM_ARCH": "9.0"}) == {"cuda": "12.8", "sm_arch": "9.0"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NV_VARIANT_PROVIDER_FORCE_CUDA_DRIVER_VERSION", "new"),
        ("NV_VARIANT_PROVIDER_FORCE_SM_ARCH", "90"),
        ("NV_VARIANT_PROVIDER_FORCE_SM_ARCH", "9.0.1"),
    ],
)
def test_an_override_that_is_no_version_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        Nvidia().detect({name: value})


def test_without_a_driver_there_are_no_properties_at_all() -> None:
    assert Nvidia().supported({"cuda": "none", "sm_arch": "9.0"}) == {}


def test_the_features_stand_in_the_order_of_the_provider() -> None:
    assert list(Nvidia().supported({"cuda": "12.8", "sm_arch": "9.0"})) == [
        "cuda_version_lower_bound",
        "cuda_version_upper_bound",
        "sm_arch",
    ]


def test_lower_bounds_go_from_the_driver_down() -> None:
    found = lower_bounds((12, 2))
    assert found[:6] == ("12.2", "12.1", "12.0", "12", "11.20", "11.19")
    assert found[-2:] == ("11.0", "11")


def test_upper_bounds_are_exclusive_and_the_highest_comes_first() -> None:
    found = upper_bounds((12, 18))
    assert found[:2] == ("15.20", "15.19")
    assert found[-5:] == ("13.1", "13.0", "13", "12.20", "12.19")
    assert upper_bounds((15, 20)) == ()


def test_a_device_runs_code_of_its_own_generation() -> None:
    assert sm_values((8, 6)) == (
        "86_real",
        "85_real",
        "84_real",
        "83_real",
        "82_real",
        "81_real",
        "80_real",
        "80_virtual",
    )


def test_a_device_before_maxwell_has_no_sm_arch() -> None:
    assert "sm_arch" not in Nvidia().supported({"cuda": "11.8", "sm_arch": "3.7"})


@pytest.mark.parametrize(
    ("text", "pair"), [("12.8", (12, 8)), ("12", (12, 0)), ("12.8.1", (12, 8)), ("12.", None), ("none", None)]
)
def test_a_version_is_major_and_minor(text: str, pair: tuple[int, int] | None) -> None:
    assert parse_pair(text) == pair


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("cu128", "nvidia :: cuda_version_lower_bound :: 12.8"),
        ("cuda128", "nvidia :: cuda_version_lower_bound :: 12.8"),
        ("cu12_8", "nvidia :: cuda_version_lower_bound :: 12.8"),
        ("cu12x", "nvidia :: cuda_version_lower_bound :: 12.0"),
        ("cuda13", "nvidia :: cuda_version_lower_bound :: 13.0"),
        ("cu1210", "nvidia :: cuda_version_lower_bound :: 12.10"),
        ("sm90a", "nvidia :: sm_arch :: 90a_real"),
        ("compute_120", "nvidia :: sm_arch :: 120_virtual"),
    ],
)
def test_a_word_stands_for_a_property(word: str, line: str) -> None:
    assert [str(item) for item in Nvidia().properties_of(word)] == [line]


@pytest.mark.parametrize("word", ["cu92", "cuda", "cu128x", "cupy", "sm9", "nvidia"])
def test_other_words_say_nothing(word: str) -> None:
    assert Nvidia().properties_of(word) == ()
