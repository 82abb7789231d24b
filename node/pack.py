"""All modules of a start in one file, compiled: an image has one beside the package, for there nothing changes. Python
looks for each module in several folders and asks for the times of two files before it reads one; that is a tenth of the
start of a node, and two thirds of its system calls.

    pack   `sys.version` in one line | size of the index u32 | the index, marshalled | code of each module, marshalled
    index  {name: (source file, whether it is a package, offset behind the index, size)}

A pack of another Python is passed over: modules are found as ever then.
"""

import marshal
import os
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

FILE = f"{__file__.rpartition(os.sep)[0]}.pack"
"""Beside the folder of this package."""
MADE_BY = sys.version.replace("\n", " ").encode() + b"\n"
SIZE = 4

Index = dict[str, tuple[str, bool, int, int]]


class Pack:
    """A finder and loader of the modules in an open file: `index`, and where the first one's code begins."""

    def __init__(self, descriptor: int, index: Index, start: int) -> None:
        self._descriptor = descriptor
        self._index = index
        self._start = start

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As the import system asks every finder."""
        found = self._index.get(name)
        if found is None:
            return None
        spec = ModuleSpec(name, self, origin=found[0], is_package=found[1])  # type: ignore[arg-type]
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(found[0].rpartition("/")[0])
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """The import system makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs its code."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> CodeType:
        """The code of a module that is in the pack."""
        _, _, offset, size = self._index[name]
        code: CodeType = marshal.loads(os.pread(self._descriptor, size, self._start + offset))
        return code


def use_pack(file: str = FILE) -> bool:
    """Has modules be found in the pack `file`, before anywhere else; whether there is one."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    if os.read(descriptor, len(MADE_BY)) != MADE_BY:
        os.close(descriptor)
        return False
    size = int.from_bytes(os.read(descriptor, SIZE), "big")
    index: Index = marshal.loads(os.read(descriptor, size))
    sys.meta_path.insert(0, Pack(descriptor, index, len(MADE_BY) + SIZE + size))
    return True


def write_pack(file: str, modules: Iterable[ModuleType]) -> int:
    """Packs those of `modules` that Python would compile from a file; how many."""
    index: Index = {}
    codes: list[bytes] = []
    offset = 0
    for module in modules:
        spec = getattr(module, "__spec__", None)
        if spec is None or not (spec.origin or "").endswith(".py") or spec.name in index:
            continue
        with open(spec.origin or "", "rb") as source:  # noqa: PTH123 - a node does without pathlib
            code = marshal.dumps(compile(source.read(), spec.origin or "", "exec", dont_inherit=True))
        index[spec.name] = (spec.origin or "", spec.submodule_search_locations is not None, offset, len(code))
        codes.append(code)
        offset += len(code)
    table = marshal.dumps(index)
    with open(file, "wb") as pack:  # noqa: PTH123
        pack.write(MADE_BY + len(table).to_bytes(SIZE, "big") + table)
        pack.writelines(codes)
    return len(index)
