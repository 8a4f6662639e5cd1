"""What makes source unreadable for an auditor: names, code or memory that come into being while the program runs.

    getattr      with a name that is no constant; ``setattr``, ``delattr``, ``vars``, ``globals``, ``__dict__``...
    code         ``eval``, ``exec``, ``compile``, ``__import__``, importlib, runpy, code objects
    memory       ctypes, cffi, gc, mmap, pickle and its like
    patching     assigning to an attribute of something imported
    modules      importing anything that is not on the list of what this product needs

Each may stand in listed functions only (`edge.prove.allow_list`). Beside them `listeners` finds what could talk to
other machines: modules that open sockets, and calls that wait for others (``bind``, ``listen``, ``accept``...).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from edge.prove.source import Module, Use, brief, called, line_of, words

_CALLS = words("calls")
_ATTRIBUTES = words("attributes")
_NAMES = frozenset({"__builtins__", "__loader__", "__spec__"})
_KINDS = (
    ast.Import,
    ast.ImportFrom,
    ast.Call,
    ast.Attribute,
    ast.Name,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Delete,
)
#: Top-level modules that this product imports anywhere. Whatever else is imported is found.
MODULES = words("modules")
#: Of those, the ones that may be imported at listed places only.
GUARDED = words("guarded")


def dynamics(module: Module) -> Iterator[Use]:
    """Every dynamic feature of a file."""
    for node, function in module.walk(*_KINDS):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(module, node, function)
        elif isinstance(node, ast.Call):
            yield from _call(module, node, function)
        elif isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES and not _harmless(module, node):
            yield Use("attribute", brief(node), line_of(node), function)
        elif isinstance(node, ast.Name) and node.id in _NAMES:
            yield Use("attribute", node.id, line_of(node), function)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            yield from _patches(module, node, function)


def _imports(module: Module, node: ast.Import | ast.ImportFrom, function: str) -> Iterator[Use]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        top = name.split(".")[0]
        if isinstance(node, ast.ImportFrom) and node.level:
            continue
        if top not in MODULES:
            yield Use("module", f"imports {name}", line_of(node), function)
        elif top in GUARDED:
            yield Use("guarded", f"imports {name}", line_of(node), function)
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        yield Use("module", f"imports everything from {node.module}", line_of(node), function)


def _call(module: Module, node: ast.Call, function: str) -> Iterator[Use]:
    name = module.dotted(node.func)
    last = name.rsplit(".", 1)[-1]
    if last == "getattr" and not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
        yield Use("getattr", brief(node), line_of(node), function)
    elif (last in _CALLS and name != "re.compile" and not name.startswith("self.")) or (
        last == "type" and len(node.args) == 3
    ):
        yield Use("code", brief(node), line_of(node), function)
    for keyword in node.keywords:
        if keyword.arg == "allow_pickle" and not (
            isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        ):
            yield Use("code", brief(node), line_of(node), function)


def _harmless(module: Module, node: ast.Attribute) -> bool:
    """``__class__.__name__`` and ``np.load(..., allow_pickle=False)`` are no attributes of this kind."""
    return node.attr == "modules" and module.dotted(node.value) != "sys"


def _patches(module: Module, node: ast.AST, function: str) -> Iterator[Use]:
    """Assignments to attributes of imported names, and to entries of ``sys.modules`` or ``__dict__``."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store | ast.Del):
                root = part.value
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in module.imports:
                    yield Use("patching", brief(node), line_of(node), function)


_NETWORK = words("network")
_LISTENING = words("listening")


def listeners(module: Module) -> Iterator[Use]:
    """Every place of a file that could open a connection or wait for one."""
    for node, function in module.walk(ast.Import, ast.ImportFrom, ast.Call):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in _NETWORK:
                yield Use("module", f"imports {name}", line_of(node), function)
        if called(node) in _LISTENING and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield Use("call", brief(node), line_of(node), function)
