"""Work of imports that has the same result in each process: done once, and given to forked processes.

Half of the time in which our modules are imported goes into the methods of dataclasses, which Python composes
as texts and compiles, into regular expressions and into reading bytecode. None of that depends on settings or
has a state: a process whose parent has the results runs the same code as one that works them out.
"""

import builtins
import dataclasses
import marshal
import re
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

# Of the file beside the list of packages.
NAME = "import-work"


class ImportWork:
    """What a process has compiled and read."""

    def __init__(self) -> None:
        # By their text, and by their file.
        self.methods: dict[str, CodeType] = {}
        self.modules: dict[str, CodeType] = {}

    def use(self) -> None:
        """Have this process and those that it forks look here first, and add the methods that it compiles."""
        vars(dataclasses)["exec"] = self._execute
        SourceFileLoader.get_code = self._look_here_first(SourceFileLoader.get_code)  # type: ignore[method-assign]

    def _execute(self, text: str, names: dict[str, Any] | None, found: dict[str, Any]) -> None:
        if text not in self.methods:
            self.methods[text] = compile(text, "<string>", "exec", dont_inherit=True)
        builtins.exec(self.methods[text], names, found)

    def _look_here_first(self, read: Callable[..., CodeType | None]) -> Callable[..., CodeType | None]:
        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            return self.modules.get(loader.path) or read(loader, fullname)

        return get_code

    def save(self, file: Path, *, names: list[str]) -> None:
        """Write what this process has compiled, and the bytecode of these modules."""
        for name in names:
            loader = getattr(sys.modules[name].__spec__, "loader", None)
            if isinstance(loader, SourceFileLoader) and (code := loader.get_code(name)):
                self.modules[loader.path] = code
        patterns = [(pattern, flags) for kind, pattern, flags in vars(re)["_cache"] if kind in (str, bytes)]
        file.write_bytes(marshal.dumps((self.methods, self.modules, patterns)))

    @classmethod
    def load(cls, file: Path) -> "ImportWork":
        """Read what another process has saved, and compile its regular expressions."""
        work = cls()
        work.methods, work.modules, patterns = marshal.loads(file.read_bytes())
        for pattern, flags in patterns:
            re.compile(pattern, flags)
        return work
