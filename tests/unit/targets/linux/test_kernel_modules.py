"""Loaded modules beside a directory of modules; the kernel of a guest is the host's own."""

import os
from pathlib import Path

import pytest

from reconciler.model.nixos_probe import KernelModules
from tests.support.asking import ask

LOADED = """\
nf_tables 303104 12 - Live 0x0000000000000000
usb_storage 81920 0 - Live 0x0000000000000000
diamorphine 16384 0 - Live 0x0000000000000000 (OE)
"""
SHIPPED = """\
kernel/net/netfilter/nf_tables.ko.xz: kernel/lib/libcrc32c.ko.xz
kernel/drivers/usb/storage/usb-storage.ko:
kernel/net/ipv4/tcp_bbr.ko.zst:
"""


@pytest.fixture
def probe(tmp_path: Path) -> KernelModules:
    modules = tmp_path / "modules" / os.uname().release
    modules.mkdir(parents=True)
    (modules / "modules.dep").write_text(SHIPPED)
    (modules / "modules.builtin").write_text("kernel/drivers/block/loop.ko\n")
    (tmp_path / "loaded").write_text(LOADED)
    return KernelModules(str(tmp_path / "loaded"), str(tmp_path / "modules"))


def test_a_module_that_the_system_did_not_bring_is_foreign(probe: KernelModules) -> None:
    assert ask(probe).data == {
        "loaded": ["diamorphine", "nf_tables", "usb_storage"],
        "foreign": ["diamorphine"],
        "built_in": ["loop"],
    }


def test_without_modules_of_the_running_kernel_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "loaded").write_text(LOADED)
    assert ask(KernelModules(str(tmp_path / "loaded"), str(tmp_path))).status == "absent"
