"""Imports point downwards only, and the lower layers touch nothing of the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS: dict[int, tuple[str, ...]] = {
    0: ("dataclass", "errors", "limits", "ports", "rules"),
    1: ("codec",),
    2: ("keys",),
    3: ("objects",),
    4: ("trail",),
    5: ("protocol",),
    6: ("store", "media"),
    7: (
        "bundle_file",
        "bundle_matching",
        "bundle_media",
        "announcing",
        "drafts",
        "fetching",
        "gateway",
        "good_heads",
        "identity",
        "identity_file",
        "intake",
        "ipfs_care",
        "ipfs_network",
        "ipfs_repair",
        "ipns",
        "licensing",
        "matching",
        "moving",
        "naming",
        "networked",
        "node",
        "pinning",
        "reader",
        "pulling",
        "reindexing",
        "rotation",
        "sealing",
        "second_core",
        "statements",
        "transfer",
        "uncredited",
        "verifier",
        "whole_file",
        "workspace",
        "writer",
    ),
    8: ("cli", "web", "testing", "__main__"),
}
"""What stands in which layer; hitp2p/README.md says what each holds. A new module needs a line here."""
FACADE = "hitp2p"
"""hitp2p/__init__.py hands out names of all layers, and may be imported by layer 8 only."""
WORLD = {
    "asyncio", "click", "concurrent", "datetime", "getpass", "glob", "hypothesis", "http",
    "ipfshttpclient", "locale", "logging", "multiprocessing", "os", "pathlib", "platform", "random",
    "rich", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess",
    "sys", "tempfile", "threading", "time", "trio", "urllib", "uuid",
}  # fmt: skip
"""Clock, chance, files, threads, network, terminal: the lower layers get them as arguments."""
LENT = {("concurrent.futures", "Executor"), ("concurrent.futures", "Future")}
"""Threads that a caller lends; what makes them is not among these."""
COMPILES = {"hitp2p.dataclass": {"exec"}}
"""Makes an `__init__` from the names of fields, as `dataclasses` does; nothing else may run text."""
PURE = range(6)
HEAVY = {"trio", "ipfshttpclient", "rich", "sqlite3"}
"""What the packages of layers 0 to 5 must not even pull in for annotations at run time."""


class Import(NamedTuple):
    """One import in a module."""

    target: str
    name: str
    """What is taken out of `target`; empty where the whole module is imported."""
    line: int
    level: int
    typing_only: bool
    """Under `if TYPE_CHECKING`: not there at run time."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def trees() -> dict[str, ast.Module]:
    found = sorted((ROOT / "hitp2p").rglob("*.py"))
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in found}


MODULES = list(trees())


def layer_of(module: str) -> int:
    part = module.split(".")[1]
    found = [layer for layer, parts in LAYERS.items() if part in parts]
    assert found, f"{module} stands in no layer; add it to LAYERS"
    return found[0]


def is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def imports_of(node: ast.AST, typing_only: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, "", child.lineno, 0, typing_only)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            for alias in child.names:
                inner = f"{base}.{alias.name}"
                target = inner if inner in trees() else base
                yield Import(target, alias.name, child.lineno, child.level, typing_only)
        else:
            yield from imports_of(child, typing_only or is_typing_only(child))


def calls_of(module: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(trees()[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


def test_every_module_stands_in_a_layer() -> None:
    assert all(layer_of(module) >= 0 for module in MODULES if module != FACADE)


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_absolute(module: str) -> None:
    assert [found for found in imports_of(trees()[module]) if found.level] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m != FACADE])
def test_imports_point_downwards(module: str) -> None:
    layer = layer_of(module)
    for found in imports_of(trees()[module]):
        if found.typing_only or found.target.split(".")[0] != "hitp2p":
            continue
        above = 8 if found.target == FACADE else layer_of(found.target)
        assert above <= layer, (
            f"{module}:{found.line} (layer {layer}) imports {found.target} ({above})"
        )


@pytest.mark.parametrize("module", [m for m in MODULES if m != FACADE and layer_of(m) in PURE])
def test_lower_layers_import_nothing_of_the_world(module: str) -> None:
    for found in imports_of(trees()[module]):
        allowed = found.typing_only and found.target.split(".")[0] not in HEAVY
        allowed = allowed or (found.target, found.name) in LENT
        assert allowed or found.target.split(".")[0] not in WORLD, f"{module}:{found.line}"


@pytest.mark.parametrize("module", [m for m in MODULES if m != FACADE and layer_of(m) in PURE])
def test_lower_layers_open_no_files(module: str) -> None:
    allowed = COMPILES.get(module, set())
    found = {name for name, _ in calls_of(module) if name in ("open", "input", "exec")}
    assert found == allowed


@pytest.mark.parametrize("module", [m for m in MODULES if m != FACADE and layer_of(m) < 8])
def test_nothing_below_the_command_line_prints(module: str) -> None:
    assert [line for name, line in calls_of(module) if name in ("print", "input")] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m != FACADE and layer_of(m) < 8])
def test_nothing_below_the_command_line_reads_the_environment(module: str) -> None:
    source = ast.unparse(trees()[module])
    names = ("os.environ", "os.getenv", "expanduser", "Path.home", "sys.argv")
    assert [name for name in names if name in source] == []


def test_ipfshttpclient_is_imported_in_one_module_at_most() -> None:
    users = {
        module
        for module, tree in trees().items()
        for found in imports_of(tree)
        if found.target.split(".")[0] == "ipfshttpclient"
    }
    assert len(users) <= 1


def test_the_package_multiformats_of_another_project_is_never_imported() -> None:
    """`multiformats` and `dag_cbor` overwrite the files of py-multiformats [decision 0005]."""
    wrong = {"dag_cbor", "ipld_car", "pickle", "yaml", "marshal"}
    for module, tree in trees().items():
        for found in imports_of(tree):
            assert found.target.split(".")[0] not in wrong, f"{module}:{found.line}"
