"""Every SQL statement that touches `template` is keyed by record id, and every statement is known before it runs.

    text        a string that reads like SQL, wherever it stands, made of constants and names of its own file
    argument    what ``execute`` and its like are given: a known text, or a parameter of a listed function
    table       `template`, however it is written: quoted, in capitals, behind a comment, with its schema
    shape       three statements may name it, and its definition; anything else is found

A statement that is put together from anything but constants is found, whatever it says.

What makes source unreadable for an auditor: names, code or memory that come into being while the program runs.

    getattr      with a name that is no constant; ``setattr``, ``delattr``, ``vars``, ``globals``, ``__dict__``...
    code         ``eval``, ``exec``, ``compile``, ``__import__``, importlib, runpy, code objects
    memory       ctypes, cffi, gc, mmap, pickle and its like
    patching     assigning to an attribute of something imported
    modules      importing anything that is not on the list of what this product needs

Each may stand in listed functions only (`edge.prove.source`). Beside them `listeners` finds what could talk to
other machines: modules that open sockets, and calls that wait for others (``bind``, ``listen``, ``accept``...).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from edge.prove.source import Module, Use, brief, called, folded, line_of, words

_EXECUTE = frozenset({"execute", "executemany", "executescript"})
#: Ways around a statement: whole-file copies, raw cells, and code of other people inside SQLite.
_AROUND = words("around")
_VERBS = r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|ATTACH|DETACH|VACUUM|WITH|EXPLAIN|REINDEX|ANALYZE)"
_SQL = re.compile(
    rf"^\s*{_VERBS}\b.*\b(?:FROM|INTO|TABLE|INDEX|VIEW|TRIGGER|SET|DATABASE)\b", re.IGNORECASE | re.DOTALL
)
_PRAGMA = re.compile(r"^\s*PRAGMA\s", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"[\"'`\[](\w+)[\"'`\]]")
_TABLE = re.compile(r"\b(?:main\.|temp\.)?template\b", re.IGNORECASE)

#: What may be said about `template`; white space and case do not matter.
SHAPES = (
    re.compile(r"^SELECT sealed FROM template WHERE record_id = \?$", re.IGNORECASE),
    re.compile(r"^INSERT OR REPLACE INTO template \(record_id, sealed\) VALUES \(\?, \?\)$", re.IGNORECASE),
    re.compile(r"^DELETE FROM template WHERE record_id = \?$", re.IGNORECASE),
    re.compile(
        r"^CREATE TABLE template \(record_id BLOB PRIMARY KEY, sealed BLOB NOT NULL\) WITHOUT ROWID$", re.IGNORECASE
    ),
)
#: Statements that reach every table without naming one.
_EVERY_TABLE = re.compile(
    r"^(?:ATTACH|DETACH|VACUUM INTO|ALTER TABLE \w+ RENAME|CREATE (?:TEMP |TEMPORARY )?(?:VIEW|TRIGGER|VIRTUAL))\b",
    re.IGNORECASE,
)


def statements(module: Module, strings: Mapping[str, str]) -> Iterator[Use]:
    """Every statement of a file that breaks the rule, or that cannot be judged.

    Args:
        module: the file.
        strings: dotted name -> text, of the constants of every file of the build.
    """
    names = _names(module, strings)
    local = _local(module, names)
    callees = {id(node.func) for node, _ in module.walk(ast.Call) if isinstance(node, ast.Call)}
    inner = {id(child) for node, _ in module.walk(ast.JoinedStr) for child in ast.walk(node)}
    for node, function in module.walk(ast.Constant, ast.JoinedStr, ast.BinOp, ast.Call, ast.Attribute):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and (
            id(node) not in inner or isinstance(node, ast.JoinedStr)
        ):
            yield from _text(node, function, names | local.get(function, {}))
        elif isinstance(node, ast.Call):
            yield from _call(module, node, function, names | local.get(function, {}))
        elif isinstance(node, ast.Attribute) and node.attr in _EXECUTE and id(node) not in callees:
            yield Use("passed on", f"hands on the means to run statements: {brief(node)}", line_of(node), function)


def count(module: Module, strings: Mapping[str, str]) -> int:
    """How many texts of a file read like SQL."""
    names = _names(module, strings)
    found = (folded(n, names) for n, _ in module.walk(ast.Constant, ast.JoinedStr))
    return sum(1 for text in found if text is not None and (_SQL.search(text) or _PRAGMA.search(text)))


def _names(module: Module, strings: Mapping[str, str]) -> dict[str, str]:
    """What a plain name stands for in a file: its own constants, and those that it imports from others."""
    names = {local: strings[dotted] for local, dotted in module.imports.items() if dotted in strings}
    return names | module.strings


def _local(module: Module, names: dict[str, str]) -> dict[str, dict[str, str]]:
    """Function -> its variables that are bound once, to a constant text."""
    bound: dict[tuple[str, str], list[str | None]] = {}
    for node, function in module.walk(ast.Name, ast.arg):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.setdefault((function, node.id), []).append(None)
        if isinstance(node, ast.arg):
            bound.setdefault((function, node.arg), []).extend([None, None])
    for node, function in module.walk(ast.Assign):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values = bound[(function, node.targets[0].id)]
            if len(values) == 1:
                values[0] = folded(node.value, names)
    found: dict[str, dict[str, str]] = {}
    for (function, name), values in bound.items():
        if len(values) == 1 and values[0] is not None:
            found.setdefault(function, {})[name] = values[0]
        else:
            found.setdefault(function, {})
    return found


def _text(node: ast.AST, function: str, names: dict[str, str]) -> Iterator[Use]:
    text = folded(node, names)
    if text is not None:
        for statement in _split(text):
            reason = _reason(statement)
            if reason:
                short = statement if len(statement) < 70 else statement[:67] + "..."
                yield Use("template", f"{reason}: {short}", line_of(node), function)
        return
    known = " ".join(_known_parts(node))
    if isinstance(node, ast.JoinedStr | ast.BinOp) and (_SQL.search(known) or _PRAGMA.search(known)):
        yield Use("assembled", f"a statement put together while running: {brief(node)}", line_of(node), function)


def _known_parts(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _call(module: Module, node: ast.Call, function: str, names: dict[str, str]) -> Iterator[Use]:
    name = called(node)
    if name in _AROUND and isinstance(node.func, ast.Attribute):
        yield Use("around", f"goes around single statements: {brief(node)}", line_of(node), function)
    owner = module.dotted(node.func)
    reads = name == "read" and len(node.args) > 1 and "." in owner and not owner.startswith(("edge.", "os."))
    runs = name in _EXECUTE or reads
    if runs and node.args and folded(node.args[0], names) is None:
        yield Use("unknown", f"runs a statement that is not a constant: {brief(node)}", line_of(node), function)
    if name == "format" and isinstance(node.func, ast.Attribute):
        text = folded(node.func.value, names)
        if text is not None and (_SQL.search(text) or _PRAGMA.search(text)):
            yield Use("assembled", f"a statement put together while running: {brief(node)}", line_of(node), function)


def _split(text: str) -> Iterator[str]:
    """The statements of a text, in one form; nothing when it does not read like SQL."""
    plain = _COMMENT.sub(" ", text)
    if not _SQL.search(plain) and not _PRAGMA.search(plain) and not _EVERY_TABLE.search(plain.strip()):
        return
    for statement in plain.split(";"):
        one = " ".join(_QUOTED.sub(r"\1", statement).split())
        if one:
            yield one


def _reason(statement: str) -> str:
    """Why a statement breaks the rule; '' when it does not."""
    if _EVERY_TABLE.search(statement):
        return "reaches tables without naming them"
    if not _TABLE.search(statement) or any(shape.match(statement) for shape in SHAPES):
        return ""
    return "touches `template` without being one of the statements keyed by record id"


def constants(modules: Mapping[str, Module]) -> dict[str, str]:
    """Dotted name -> text, of every file's own constants."""
    return {f"{name}.{local}": text for name, module in modules.items() for local, text in module.strings.items()}


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
            yield from _dynamic_call(module, node, function)
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


def _dynamic_call(module: Module, node: ast.Call, function: str) -> Iterator[Use]:
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
