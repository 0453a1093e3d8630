"""Import this first: in a version whose library was still part of `gateway`, its modules are found under their names of
today. `tools/regress.sh` runs these scripts with that version's own Python."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Older(MetaPathFinder, Loader):
    """`lianzhi.client` → `gateway.client`: the very module, so that an error is one class under both names."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        known = name == "lianzhi" or name.startswith("lianzhi.")
        return importlib.util.spec_from_loader(name, self, is_package=True) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(spec.name.replace("lianzhi", "gateway", 1))

    def exec_module(self, module: ModuleType) -> None:
        """It was executed under its own name."""


# Where this tree's environment runs an older `gateway`, the library of today is installed beside it.
if importlib.util.find_spec("gateway.partner") is not None:
    sys.meta_path.insert(0, _Older())
