from __future__ import annotations

import pytest

from variant_publish.binary.demangle import demangled


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("cblas_dgemm", "cblas_dgemm"),
        ("_ZN5torch8autograd13_wrap_outputsERKSt6vectorIN2at6TensorESaIS3_EE", "torch::autograd::_wrap_outputs(...)"),
        ("_ZNK3c106SymInt22maybe_as_int_slow_pathEv", "c10::SymInt::maybe_as_int_slow_path(...)"),
        ("_ZN3c1013MessageLoggerC1EPKcii", "c10::MessageLogger::MessageLogger(...)"),
        ("_ZN3c105ErrorD1Ev", "c10::Error::~Error(...)"),
        ("_ZN3c10lsERSoNS_6DeviceE", "c10::operator<<(...)"),
        ("_ZTVN5torch8autograd4NodeE", "vtable for torch::autograd::Node"),
        ("_Z3fooILi3EEvT_", "foo(...)"),
        ("_ZSt4cout", "std::cout"),
        ("_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo(...)"),
        ("_ZN1aIN1bIcLb1EEEE1cEv", "a::c(...)"),
        ("_ZN9999abc", "_ZN9999abc"),
        ("_Z", "_Z"),
        ("_ZN1a", "_ZN1a"),
    ],
)
def test_names_are_those_that_people_write(symbol: str, name: str) -> None:
    assert demangled(symbol) == name
