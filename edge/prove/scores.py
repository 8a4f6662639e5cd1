"""One place where scores are computed: every expression that could measure how alike two vectors are.

A similarity needs a contraction (``@``, ``dot``, ``einsum``...), or a sum over products or differences. Both leave
names or operators in the source, and those are looked for in every file of the build:

    contraction   ``@``; ``.dot``, ``.matmul``, ``.einsum``... on whatever object
    numpy         a numpy function outside the list of those that only make, cut, round or order arrays
    opencv        an OpenCV function outside the list of those that draw, warp or convert pictures
    reduction     in one function: a sum, mean, norm or count, and a product, difference or power of two variables
    accumulation  in a loop: something grows by a product, difference or power of two variables

What is found must stand in `edge.prove.allow_list`, function by function, with the digest of what was reviewed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from edge.prove.source import Module, Use, brief, constant, line_of, words

#: Methods and functions that contract two vectors, under whatever object they are called.
_CONTRACTIONS = words("contractions")
#: numpy's functions that make, cut, cast, round, order or count arrays, and cannot compare two of them.
_NUMPY = words("numpy")
#: numpy's sub-modules of which everything may be used.
_NUMPY_MODULES = ("numpy.random.", "numpy.typing.")
#: OpenCV's functions that draw, warp, convert or read pictures.
_OPENCV = words("opencv")
_REDUCTIONS = words("reductions")
_MIXES = (ast.Mult, ast.Sub, ast.BitXor, ast.BitAnd, ast.Pow, ast.Div, ast.MatMult)
_MIXERS = frozenset({"subtract", "multiply", "bitwise_xor", "absdiff", "mul", "sub", "xor", "power"})
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_KINDS = (ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.AugAssign, *_LOOPS)


def similarities(module: Module) -> Iterator[Use]:
    """Every place of a file that could compute a similarity."""
    reductions: dict[str, list[ast.AST]] = defaultdict(list)
    mixing: set[str] = set()
    for node, function in module.walk(*_KINDS):
        use = _contraction(module, node, function) or _library(module, node, function)
        if use is not None:
            yield use
        if isinstance(node, ast.Call) and _name(node) in _REDUCTIONS:
            reductions[function].append(node)
        if _mixes(node):
            mixing.add(function)
        yield from _accumulations(node, function)
    for function in sorted(mixing & set(reductions)):
        first = reductions[function][0]
        yield Use("reduction", brief(first), line_of(first), function)


def _contraction(module: Module, node: ast.AST, function: str) -> Use | None:
    operator = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult)
    named = isinstance(node, ast.Attribute) and node.attr in _CONTRACTIONS
    if isinstance(node, ast.Name) and node.id in module.imports:  # a local variable may bear any name
        named = module.dotted(node).rsplit(".", 1)[-1] in _CONTRACTIONS
    if operator or named:
        return Use("contraction", brief(node), line_of(node), function)
    return None


def _library(module: Module, node: ast.AST, function: str) -> Use | None:
    """A function of numpy or OpenCV outside the harmless ones."""
    if not isinstance(node, ast.Attribute | ast.Name):
        return None
    name = module.dotted(node)
    parts = name.split(".")
    if parts[0] == "numpy" and len(parts) > 1 and parts[1] not in _NUMPY and not name.startswith(_NUMPY_MODULES):
        return Use("numpy", name, line_of(node), function)
    if parts[0] == "cv2" and len(parts) > 1 and parts[1] not in _OPENCV and not parts[1].isupper():
        return None if _is_constant(parts[1]) else Use("opencv", name, line_of(node), function)
    return None


def _is_constant(name: str) -> bool:
    """OpenCV's constants: ``COLOR_BGR2RGB``, ``CV_16S``."""
    head = name.split("_", 1)[0]
    return head.isupper() and "_" in name


def _accumulations(node: ast.AST, function: str) -> Iterator[Use]:
    if not isinstance(node, _LOOPS):
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.AugAssign) and isinstance(inner.op, ast.Add | ast.Sub) and _mixed_inside(inner.value):
            yield Use("accumulation", brief(inner), line_of(inner), function)


def _mixed_inside(node: ast.AST) -> bool:
    return any(_mixes(inner) for inner in ast.walk(node))


def _mixes(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, _MIXES) and not constant(node.left) and not constant(node.right)
    return isinstance(node, ast.Call) and _name(node) in _MIXERS


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
