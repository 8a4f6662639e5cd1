"""Which code may touch a template or a probe, and that none takes several.

    gates        the calls without which there is neither a template, nor a probe, nor a score: open, consume, embed...
                 each may stand in listed functions only, and may be called, never passed on (``map(compare, ...)``)
    loops        a loop, comprehension or recursion around such a call, also through functions of the build
    collections  an annotation that puts templates, probes, sealed templates, records or claims into a collection

Attributes are compared by name, whatever the object; ``getattr`` with a constant name counts as the attribute.

One place where scores are computed: every expression that could measure how alike two vectors are.

A similarity needs a contraction (``@``, ``dot``, ``einsum``...), or a sum over products or differences. Both leave
names or operators in the source, and those are looked for in every file of the build:

    contraction   ``@``; ``.dot``, ``.matmul``, ``.einsum``... on whatever object
    numpy         a numpy function outside the list of those that only make, cut, round or order arrays
    opencv        an OpenCV function outside the list of those that draw, warp or convert pictures
    reduction     in one function: a sum, mean, norm or count, and a product, difference or power of two variables
    accumulation  in a loop: something grows by a product, difference or power of two variables

What is found must stand in `edge.prove.source`, function by function, with the digest of what was reviewed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from edge.prove.source import Module, Use, brief, called, constant, line_of, words

#: Names that lead to a template, a probe, its content or a score, under whatever object.
GATES = words("gates")
#: Gates that are no functions.
_PLAIN = frozenset({"_data", "READ_TEMPLATE"})
#: Calls that are gates with one argument only, or with a certain keyword.
_OPEN_WITH = "model_digest"
#: Calls that end in a template or a comparison, for the loops.
_TAKERS = words("takers")
_ONE = frozenset({"Template", "Probe", "SealedTemplate", "Record", "Claim", "I8"})
_MANY = words("collections")
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def gates(module: Module) -> Iterator[Use]:
    """Every use of a gate."""
    callees = {id(node.func) for node, _ in module.walk(ast.Call) if isinstance(node, ast.Call)}
    noted = _annotations_of(module)
    for node, function in module.walk(ast.Name, ast.Attribute, ast.Call):
        if id(node) in noted:
            continue
        name = _gate(module, node)
        if not name:
            continue
        loaded = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
        kind = "passed on" if loaded and id(node) not in callees and name not in _PLAIN else "gate"
        yield Use(kind, brief(node), line_of(node), function)


def _gate(module: Module, node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and node.attr in GATES:
        return node.attr
    if isinstance(node, ast.Name):
        # a local variable may bear any name; an imported or defined function may not
        known = node.id in module.imports or node.id in module.functions or node.id in module.strings
        last = module.dotted(node).rsplit(".", 1)[-1]
        return last if known and last in GATES else ""
    if not isinstance(node, ast.Call):
        return ""
    if called(node) == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        return str(node.args[1].value) if node.args[1].value in GATES else ""
    if any(keyword.arg == _OPEN_WITH for keyword in node.keywords) and called(node) == "open":
        return "open"
    return "read" if called(node) == "read" and _reads_a_template(node) else ""


def _reads_a_template(node: ast.Call) -> bool:
    """``Template.read(session)`` takes one argument; files take a number, databases a statement."""
    if len(node.args) + len(node.keywords) != 1:
        return False
    given = node.args[0] if node.args else node.keywords[0].value
    names = [inner.id for inner in ast.walk(given) if isinstance(inner, ast.Name)]
    is_size = constant(given) and not isinstance(getattr(given, "value", None), str)
    is_size |= bool(names) and all(name.isupper() for name in names)
    is_statement = isinstance(given, ast.Constant) and str(given.value).lstrip().upper().startswith(
        ("SELECT ", "PRAGMA ")
    )
    return not is_size and not is_statement


def takers(modules: Iterable[Module]) -> frozenset[str]:
    """Dotted names of the build's functions that end in a template or a comparison, directly or through each other."""
    known: dict[str, set[str]] = {}
    for module in modules:
        for name, definitions in module.functions.items():
            if any(isinstance(definition, _FUNCTIONS) for definition in definitions):
                known[f"{module.name}.{name}"] = {
                    target
                    for definition in definitions
                    for node in ast.walk(definition)
                    for target in _targets(module, node, name)
                }
    found = {name for name, targets in known.items() if "*" in targets}
    while True:
        more = {name for name, targets in known.items() if name not in found and targets & found}
        if not more:
            return frozenset(found)
        found |= more


def _targets(module: Module, node: ast.AST, function: str) -> Iterator[str]:
    """What a call may reach: '*' for a gate, else dotted names of the build."""
    if not isinstance(node, ast.Call):
        return
    name = called(node)
    if isinstance(node.func, ast.Name) and name not in module.imports and name not in module.functions:
        return  # a local variable, or a builtin
    opens = name == "open" and any(keyword.arg == _OPEN_WITH for keyword in node.keywords)
    dotted = module.dotted(node.func)
    if name in _TAKERS or opens or dotted.endswith(("verifier.verify", "Verifier.verify")):
        yield "*"
    if dotted.startswith("edge."):
        yield dotted
    elif dotted.startswith("self."):
        yield f"{module.name}.{function.split('.')[0]}.{dotted.removeprefix('self.')}"
    elif dotted:
        yield f"{module.name}.{dotted}"


def loops(module: Module, known: frozenset[str]) -> Iterator[Use]:
    """Every loop, comprehension or recursion around something that ends in a template or a comparison."""
    for node, function in module.walk(*_LOOPS, *_FUNCTIONS):
        if isinstance(node, _LOOPS):
            inner = next((call for call in _repeated(node) if _takes(module, call, function, known)), None)
            if inner is not None:
                yield Use("loop", f"{type(node).__name__.lower()} around {brief(inner)}", line_of(node), function)
        if isinstance(node, _FUNCTIONS) and f"{module.name}.{function}" in known:
            itself = f"{module.name}.{function}"
            again = (c for c in ast.walk(node) if isinstance(c, ast.Call) and itself in _targets(module, c, function))
            for call in again:
                yield Use("recursion", brief(call), line_of(call), function)


def _repeated(loop: ast.AST) -> Iterator[ast.Call]:
    """The calls that happen more than once: all but what is looped over."""
    once: set[int] = set()
    if isinstance(loop, ast.For | ast.AsyncFor):
        once = {id(node) for node in ast.walk(loop.iter)}
    elif not isinstance(loop, ast.While):
        once = {id(node) for node in ast.walk(loop.generators[0].iter)}  # type: ignore[attr-defined]
    for node in ast.walk(loop):
        if isinstance(node, ast.Call) and id(node) not in once:
            yield node


def _takes(module: Module, call: ast.Call, function: str, known: frozenset[str]) -> bool:
    targets = set(_targets(module, call, function))
    return "*" in targets or bool(targets & known)


def collections(module: Module) -> Iterator[Use]:
    """Every annotation of a collection of templates, probes, records, claims or embeddings."""
    for node, function in module.walk(ast.arg, ast.AnnAssign, ast.Assign, ast.Call, *_FUNCTIONS):
        for annotation in _annotations(node):
            if _holds_many(annotation):
                yield Use("collection", brief(annotation), line_of(annotation) or line_of(node), function)


def _annotations(node: ast.AST) -> Iterator[ast.AST]:
    given: list[ast.AST | None] = []
    if isinstance(node, ast.arg | ast.AnnAssign):
        given.append(node.annotation)
    elif isinstance(node, _FUNCTIONS):
        given.append(node.returns)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
        given.append(node.value)  # an alias: Gallery = list[Template]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
        given.append(node.func)  # list[I8]()
    for annotation in given:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                yield ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                continue
        elif annotation is not None:
            yield annotation


def _annotations_of(module: Module) -> set[int]:
    """The nodes of all annotations: naming a type is no use of it."""
    found: set[int] = set()
    for node, _ in module.walk(ast.arg, ast.AnnAssign, ast.Assign, *_FUNCTIONS):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            found |= {id(inner) for inner in ast.walk(node.annotation)}
        elif isinstance(node, _FUNCTIONS) and node.returns is not None:
            found |= {id(inner) for inner in ast.walk(node.returns)}
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            found |= {id(inner) for inner in ast.walk(node.value)}
    return found


def _holds_many(annotation: ast.AST) -> bool:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and _last(node.value) in _MANY:
            held = [inner for inner in ast.walk(node.slice) if _last(inner) in _ONE]
            endless = any(isinstance(inner, ast.Constant) and inner.value is ... for inner in ast.walk(node.slice))
            # a tuple of one template and something else is one template
            if held and (_last(node.value) not in ("tuple", "Tuple") or endless or len(held) > 1):
                return True
    return False


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rsplit(".", 1)[-1]
    return node.id if isinstance(node, ast.Name) else ""


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
_REPEATED = (ast.For, ast.AsyncFor, ast.While)
_KINDS = (ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.AugAssign, *_REPEATED)


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
    if not isinstance(node, _REPEATED):
        return
    for inner in ast.walk(node):
        if not isinstance(inner, ast.AugAssign) or not isinstance(inner.op, ast.Add | ast.Sub):
            continue
        if any(map(_mixes, ast.walk(inner.value))):
            yield Use("accumulation", brief(inner), line_of(inner), function)


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
