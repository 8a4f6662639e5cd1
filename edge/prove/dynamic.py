"""What makes source unreadable for an auditor: names, code or memory that come into being while the program runs.

    getattr      with a name that is no constant; ``setattr``, ``delattr``, ``vars``, ``globals``, ``__dict__``...
    code         ``eval``, ``exec``, ``compile``, ``__import__``, importlib, runpy, code objects
    memory       ctypes, cffi, gc, mmap, pickle and its like
    patching     assigning to an attribute of something imported
    modules      importing anything that is not on the list of what this product needs

Each may stand in listed functions only (`edge.prove.allowed`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from edge.prove.source import Module, Use, brief, line_of, words

_CALLS = words(
    "eval exec compile __import__ globals locals vars breakpoint setattr delattr attrgetter methodcaller "
    "import_module exec_module spec_from_file_location module_from_spec addsitedir run_path run_module "
    "find_spec SourceFileLoader ExtensionFileLoader CDLL PyDLL LibraryLoader "
)
_ATTRIBUTES = words(
    "__dict__ __getattribute__ __subclasses__ __globals__ __builtins__ __code__ __closure__ __mro__ __bases__ "
    "__loader__ __spec__ __reduce_ex__ __setstate__ __class__ meta_path path_hooks modules settrace "
    "setprofile _getframe _current_frames get_objects get_referrers get_referents f_locals f_globals f_back "
    "gi_frame cr_frame tb_frame allow_pickle addaudithook "
)
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
MODULES = words(
    # the standard library, as far as it is harmless
    "__future__ abc argparse atexit base64 binascii bisect calendar collections concurrent contextlib copy "
    "csv dataclasses datetime decimal email enum errno fcntl fnmatch fractions functools getpass glob gzip "
    "hashlib heapq hmac html io itertools json locale logging math numbers os pathlib platform pwd queue re "
    "secrets select shlex shutil signal sqlite3 stat string struct sys tempfile termios textwrap threading time "
    "tomllib tty types typing unicodedata warnings weakref zipfile zlib zoneinfo ast random statistics uuid "
    "packaging importlib subprocess ctypes difflib marshal "
    # declared dependencies
    "numpy cv2 ai_edge_litert tflite_runtime yaml pydantic cryptography zxingcpp segno click rich "
    "picamera2 gpiozero lgpio hatchling libcamera edge "
)
#: Of those, the ones that may be imported at listed places only.
GUARDED = words("importlib subprocess ctypes marshal pickle sqlite3 difflib statistics mmap")


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


def _makes_a_class(node: ast.Call, name: str) -> bool:
    return name == "type" and len(node.args) == 3


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
