"""A new file in a package of matter types is a new matter type; nothing else is edited."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas import matters
from schemas.catalogue import MatterType, catalogue, discover

NEW_TYPE = """
from schemas.catalogue import Deadline, DeadlineKind, Kind
from schemas.declare import notice
from lianzhi.protocol.cards import Classification
from schemas.matters.grid.verify import VerifyRequest

VISIT = notice(
    name="{name}", zh="{zh}", en="Visit", help_zh="走访", help_en="Visit",
    linkages=(),
    senders=frozenset({{Kind.COURT}}), receivers=frozenset({{Kind.GRID}}), request=VerifyRequest,
    request_class=Classification.SENSITIVE, deadline=Deadline(DeadlineKind.WORKING_DAYS, 3), example_request={{}},
)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, MatterType]]]:
    """Makes a package of matter types from named sources, and discovers it."""
    home = tmp_path / "fresh_matters"
    home.mkdir()
    (home / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def build(**sources: str) -> dict[str, MatterType]:
        for name, source in sources.items():
            (home / f"{name}.py").write_text(source, encoding="utf-8")
        return discover(importlib.import_module("fresh_matters"))

    yield build
    for name in [n for n in sys.modules if n.startswith("fresh_matters")]:
        del sys.modules[name]


def test_a_new_file_is_a_new_type(package: Callable[..., dict[str, MatterType]]) -> None:
    found = package(visit=NEW_TYPE.format(name="grid.visit.request", zh="走访劝导"))
    assert list(found) == ["grid.visit.request"]
    assert found["grid.visit.request"].zh == "走访劝导"


def test_a_type_defined_twice_is_refused(package: Callable[..., dict[str, MatterType]]) -> None:
    with pytest.raises(ValueError, match="defined twice"):
        package(
            one=NEW_TYPE.format(name="grid.visit.request", zh="一"),
            two=NEW_TYPE.format(name="grid.visit.request", zh="二"),
        )


def test_a_family_is_walked_and_its_order_is_that_of_the_names(
    package: Callable[..., dict[str, MatterType]], tmp_path: Path
) -> None:
    family = tmp_path / "fresh_matters" / "zebra"
    family.mkdir()
    (family / "__init__.py").touch()
    (family / "one.py").write_text(NEW_TYPE.format(name="aardvark.visit.request", zh="一"), "utf-8")
    found = package(visit=NEW_TYPE.format(name="grid.visit.request", zh="走访"))
    assert list(found) == ["aardvark.visit.request", "grid.visit.request"]


def test_a_type_stands_in_the_folder_that_the_first_part_of_its_name_names() -> None:
    own: dict[str, str] = {}
    for info in pkgutil.walk_packages(matters.__path__, "schemas.matters."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, MatterType) and f"\n{name} = " in Path(str(module.__file__)).read_text("utf-8"):
                own[value.name] = info.name.split(".")[2]
    assert own.keys() == catalogue().keys()
    assert {name: folder for name, folder in own.items() if folder != name.split(".")[0]} == {}
