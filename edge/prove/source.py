"""Python source as data: parsed, never imported.

    module = Module.parse("edge/face/match.py", text)
    for node, function in module.walk(ast.Call): ...
    module.dotted(node)                      # "numpy.linalg.norm", whatever numpy is called in this file

Names are resolved through the file's own imports only. A value that travels under another name is not followed; the
checks therefore look for the *names* that a template, a score or a statement cannot do without, and the limits say what
that leaves open.

What an auditor's copy of `edge prove` takes for known: packages, start-up lines, and places that were reviewed.

A row of ``reviewed.txt`` says: in this file, in this function, patterns of these kinds were looked at, and this is the
digest of what was seen. A pattern without a row is found; so is a function that has changed since.
Rows without a digest stand for functions that make or measure pictures and never see a template; their shape, the kinds
of patterns, is what was reviewed.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from edge import _resources
from edge.prove.model import Evidence, Severity

MODULE = "<module>"
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SILENT = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)  # say nothing by themselves
_SKIPPED = frozenset({"ctx", "type_comment", "kind"})


@dataclass(frozen=True, slots=True)
class Use:
    """One place that a check has an opinion about.

    Attributes:
        kind: which pattern. what: the code, shortened. line: from 1. function: qualified name, or `MODULE`.
    """

    kind: str
    what: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file.

    Attributes:
        file: path such as ``edge/face/match.py``. name: dotted, such as ``edge.face.match``.
        imports: local name -> dotted name. strings: name -> constant text, of the file's own top level.
        functions: qualified name -> every definition under it (more than one hides another).
    """

    file: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    strings: dict[str, str] = field(default_factory=dict)
    functions: dict[str, list[ast.AST]] = field(default_factory=lambda: defaultdict(list))
    _nodes: dict[type[ast.AST], list[tuple[ast.AST, str]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def parse(cls, file: str, text: str | bytes) -> Module:
        """Parse a file.

        Raises:
            SyntaxError, ValueError, RecursionError: it is not Python of the examiner's version.
        """
        module = cls(file, ast.parse(text))
        module._collect(module.tree, ())
        for node, _ in module.walk(ast.Import, ast.ImportFrom):
            module._imported(node)
        for statement in module.tree.body:
            module._constant(statement)
        return module

    @property
    def name(self) -> str:
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def walk(self, *kinds: type[ast.AST]) -> Iterator[tuple[ast.AST, str]]:
        """Every node of these kinds (and no subclass of them), with the function or class that it stands in."""
        for kind in kinds:
            yield from self._nodes.get(kind, ())

    def dotted(self, node: ast.AST) -> str:
        """The full name of a name or attribute chain; '' for anything else."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def _collect(self, node: ast.AST, path: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _SILENT):
                continue
            if isinstance(child, _DEFINES):
                inner = (*path, child.name)
                self.functions[".".join(inner)].append(child)
                self._nodes[type(child)].append((child, ".".join(inner)))
                self._collect(child, inner)
            else:
                self._nodes[type(child)].append((child, ".".join(path) or MODULE))
                self._collect(child, path)

    def _imported(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.imports[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = self._absolute(node)
            for alias in node.names:
                self.imports[alias.asname or alias.name] = f"{base}.{alias.name}"

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        keep = len(parts) - node.level + (1 if self.file.endswith("/__init__.py") else 0)
        return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])

    def _constant(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            return
        if isinstance(target, ast.Name):
            text = folded(value, self.strings)
            if text is not None:
                self.strings[target.id] = text


@cache
def _lists() -> Mapping[str, tuple[str, ...]]:
    """The lists of ``known.txt``: heading -> lines."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in _resources.path("proof", "known.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            heading = line[1:].partition("]")[0]
        elif line and not line.startswith("#"):
            found.setdefault(heading, []).append(line)
    return {heading: tuple(lines) for heading, lines in found.items()}


def known(heading: str) -> tuple[str, ...]:
    """The lines below a heading of ``known.txt``."""
    return _lists()[heading]


def words(heading: str) -> frozenset[str]:
    """The words below a heading of ``known.txt``."""
    return frozenset(word for line in known(heading) for word in line.split())


def folded(node: ast.AST, names: dict[str, str]) -> str | None:
    """The text of a string expression made of constants and known names; None when something else takes part."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = folded(node.left, names), folded(node.right, names)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.JoinedStr):
        parts = [_part(value, names) for value in node.values]
        return None if None in parts else "".join(part for part in parts if part is not None)
    return None


def _part(node: ast.AST, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.FormattedValue):
        return None if node.format_spec is not None or node.conversion != -1 else folded(node.value, names)
    return folded(node, names)


def constant(node: ast.AST) -> bool:
    """Whether an expression is a number or text known without running anything."""
    if isinstance(node, ast.UnaryOp):
        return constant(node.operand)
    if isinstance(node, ast.BinOp):
        return constant(node.left) and constant(node.right)
    return isinstance(node, ast.Constant)


def called(node: ast.AST) -> str:
    """The last part of what a call calls: ``open`` of ``self.vault.open(claim)``; '' for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def brief(node: ast.AST, width: int = 70) -> str:
    """The code of a node on one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= width else text[: width - 3] + "..."


def line_of(node: ast.AST) -> int:
    """From 1; 0 where a node has no line."""
    return int(getattr(node, "lineno", 0))


def digest(node: ast.AST) -> str:
    """16 hexadecimal digits that name what a function does: without comments, layout, annotations' order or docstrings.

    Made from the syntax tree by a walk of our own, so that Python 3.11, 3.12 and 3.13 give the same.
    """
    return hashlib.sha256(_canonical(node).encode()).hexdigest()[:16]


def _canonical(node: object) -> str:
    if isinstance(node, ast.AST):
        parts = []
        for name, value in ast.iter_fields(node):
            if name in _SKIPPED or value is None or value == []:
                continue
            if name == "body" and isinstance(node, _DEFINES) and isinstance(value, list):
                value = _without_docstring(value)
            parts.append(f"{name}={_canonical(value)}")
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return "[" + ",".join(map(_canonical, node)) + "]"
    return repr(node)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


#: Distributions that may be installed beside it.
PACKAGES = words("packages")

#: Begins the reason of a place that this product would rather not have.
EXCEPTION = "EXCEPTION:"


@dataclass(frozen=True, slots=True)
class Row:
    """One reviewed place.

    Attributes:
        check: whose row it is. file, function: the place. kinds: of patterns.
        digest: of the function, '' where its shape is what counts. why: it may stand there.
    """

    check: str
    file: str
    function: str
    kinds: frozenset[str]
    digest: str
    why: str


@cache
def reviewed() -> tuple[Row, ...]:
    """Every row of ``reviewed.txt``, which explains itself."""
    found, check, why = list[Row](), "", ""
    for line in _resources.path("proof", "reviewed.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            check, _, why = line[1:].partition("] ")
        elif line and not line.startswith("#"):
            kinds, seen, file, function = line.split(" | ")
            found.append(Row(check, file, function, frozenset(kinds.split(", ")), seen.replace("-", ""), why))
    return tuple(found)


def rows(check: str) -> dict[tuple[str, str], Row]:
    """The reviewed places of one check, by file and function."""
    return {(row.file, row.function): row for row in reviewed() if row.check == check}


def judge(check: str, module: Module, uses: Iterable[Use], sentence: str) -> list[Evidence]:
    """The uses that were not reviewed.

    Args:
        check: whose rows count. module: where the uses stand. uses: every use. sentence: what to say of one.
    """
    known = rows(check)
    findings: list[Evidence] = []
    changed: set[str] = set()
    shown: set[str] = set()
    for use in uses:
        row = known.get((module.file, use.function))
        where = f"{module.file}:{use.line}"
        if row is None or use.kind not in row.kinds:
            findings.append(Evidence(where, f"{sentence}: {use.what} [{use.kind}, in {use.function}]"))
        elif row.digest and use.function not in changed and not _unchanged(module, use.function, row.digest):
            changed.add(use.function)
            findings.append(Evidence(where, f"{use.function} is not what was reviewed in the auditor's copy"))
        elif row.why.startswith(EXCEPTION) and use.function not in shown:
            shown.add(use.function)
            findings.append(
                Evidence(where, f"{use.function} {row.why.removeprefix(EXCEPTION).strip()}", Severity.WARNING)
            )
    return findings


def _unchanged(module: Module, function: str, wanted: str) -> bool:
    definitions = module.functions.get(function, [])
    return function == MODULE or (bool(definitions) and all(digest(d) == wanted for d in definitions))
