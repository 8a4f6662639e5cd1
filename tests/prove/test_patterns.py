"""What each check looks for in source, pattern by pattern, and what it leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.prove import statements, templates
from edge.prove.source import Module, digest, folded


def module(text: str, file: str = "edge/door/new.py") -> Module:
    return Module.parse(file, text)


def in_function(body: str) -> Module:
    return module(
        "import numpy as np\nimport cv2\nimport math\n\ndef f(a, b, *more):\n    " + body.replace("\n", "\n    ") + "\n"
    )


SIMILARITIES = [
    "return a @ b",
    "a @= b",
    "return a.dot(b)",
    "return np.einsum('ij,j', a, b)",
    "return np.linalg.norm(a - b)",
    "from numpy import dot as measure\nreturn measure(a, b)",
    "return sum(x * y for x, y in zip(a, b))",
    "d = a - b\nreturn abs(d).sum()",
    "total = 0\nfor x, y in zip(a, b):\n    total += x * y\nreturn total",
    "return np.sum(np.multiply(a, b))",
    "return math.dist(a, b) + (a[0] - b[0])",
    "return cv2.norm(a, b)",
    "return cv2.matchTemplate(a, b, 5)",
    "return cv2.FaceRecognizerSF.create('', '')",
    "return np.corrcoef(a, b)",
    "return np.count_nonzero(a ^ b)",
    "return bin(a ^ b).count('1') + (a ^ b).bit_count()",
    "return max(map(a.dot, more))",
]


@pytest.mark.parametrize("body", SIMILARITIES)
def test_a_similarity_is_seen(body: str):
    assert list(templates.similarities(in_function(body)))


@pytest.mark.parametrize(
    "body", ["return a + 1", "return np.zeros(3)", "inner, outer = a, b\nreturn inner", "return 2 * 3"]
)
def test_other_arithmetic_is_left_alone(body: str):
    assert not list(templates.similarities(in_function(body)))


SEVERAL = [
    "def f(vault, claims):\n    for c in claims:\n        vault.open(c, model_digest=b'', session='')",
    "def f(device, texts, s):\n    return [device.decide(t, s) for t in texts]",
    "def f(device, texts, s):\n    return max(device.decide(t, s) for t in texts)",
    "def f(d, t, s):\n    while t:\n        d.decide(t.pop(), s)",
    "from edge.face.match import compare\ndef f(a, b, s):\n    return {x: compare(x, b, s) for x in a}",
    "def one(d, t):\n    return d.decide(t, None)\ndef f(d, texts):\n    for t in texts:\n        one(d, t)",
    "def f(d, texts):\n    d.decide(texts[0], None)\n    return f(d, texts[1:])",
    "class A:\n    def one(self, t):\n        return self.d.decide(t, None)\n"
    "    def f(self, texts):\n        return [self.one(t) for t in texts]",
    "def f(gallery: list[Template]): ...",
    'def f(gallery: "Sequence[Probe]"): ...',
    "def f() -> dict[str, SealedTemplate]: ...",
    "def f(x: tuple[Claim, ...]): ...",
    "Gallery = list[Record]\n",
    "def f():\n    kept = list[I8]()\n",
]


@pytest.mark.parametrize("text", SEVERAL)
def test_more_than_one_template_is_seen(text: str):
    one = module(text)
    known = templates.takers([one])
    assert [*templates.loops(one, known), *templates.collections(one)]


@pytest.mark.parametrize(
    "text",
    [
        "def f(d, t, s):\n    return d.decide(t, s)",
        "def f(template: Template, probe: Probe) -> tuple[Template, int]: ...",
        "def f(d, t, s):\n    for _ in d.decide(t, s).advice:\n        pass",
        "def f(texts):\n    return [t.strip() for t in texts]",
    ],
)
def test_one_template_is_left_alone(text: str):
    one = module(text)
    assert not [*templates.loops(one, templates.takers([one])), *templates.collections(one)]


@pytest.mark.parametrize(
    "text",
    [
        "def f(t, s):\n    return t.read(s)",
        "def f(p):\n    return p.consume('x')",
        "def f(p):\n    return p._data",
        "def f(p):\n    return getattr(p, '_data')",
        "from edge.face.match import compare\nf = map(compare, [])",
        "from edge.session import compare as c\ng = c",
        "from edge.vault.schema import READ_TEMPLATE\nx = READ_TEMPLATE",
        "def f(chain, look):\n    return chain.embed(look, '')",
        "def f(cipher):\n    return cipher.decrypt(b'', b'', b'')",
    ],
)
def test_touching_a_template_is_seen(text: str):
    assert list(templates.gates(module(text)))


@pytest.mark.parametrize("text", ["def f(file):\n    return file.read()", "def f(file):\n    return file.read(1024)"])
def test_reading_a_file_is_left_alone(text: str):
    assert not list(templates.gates(module(text)))


def sql(text: str) -> list:
    one = module(text)
    return list(statements.statements(one, statements.constants({one.name: one})))


FORBIDDEN = [
    "SELECT sealed FROM template",
    "SELECT count(*) FROM template",
    "SELECT * FROM template WHERE record_id = ?",
    "SELECT sealed FROM template WHERE record_id = ? OR 1",
    "SELECT sealed FROM template WHERE record_id > ?",
    "SELECT h.subject, t.sealed FROM holder h JOIN template t ON h.record_id = t.record_id",
    "DELETE FROM template",
    "UPDATE template SET sealed = ?",
    "INSERT INTO template SELECT * FROM other",
    "CREATE VIEW gallery AS SELECT * FROM holder",
    "CREATE TRIGGER t AFTER INSERT ON holder BEGIN SELECT 1; END",
    "ATTACH DATABASE 'x' AS y",
    "ALTER TABLE template RENAME TO x",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_statement_that_is_not_keyed_by_record_id_is_seen(statement: str):
    assert sql(f"def f(db):\n    return db.execute({statement!r}).fetchall()")
    assert sql(f"ALL = {statement!r}\n")


@given(
    st.sampled_from(FORBIDDEN[:9]),
    st.sampled_from(["{}", '"{}"', "`{}`", "[{}]", "main.{}"]),
    st.sampled_from([" ", "\n", "  ", " /* x */ ", "\t"]),
    st.booleans(),
)
def test_however_it_is_written(statement: str, quoted: str, space: str, capitals: bool):
    written = statement.replace("template", quoted.format("template")).replace(" ", space)
    assert sql(f"X = {(written.upper() if capitals else written)!r}\n")


@pytest.mark.parametrize(
    "text",
    [
        "def f(db, table):\n    db.execute(f'SELECT sealed FROM {table}')",
        "def f(db, table):\n    db.execute('SELECT sealed FROM ' + table)",
        "def f(db, table):\n    db.execute('SELECT sealed FROM %s' % table)",
        "def f(db, table):\n    db.execute('SELECT sealed FROM {}'.format(table))",
        "def f(db, parts):\n    db.execute(' '.join(parts))",
        "def f(db):\n    run = db.execute\n    run('SELECT 1')",
        "A = 'temp'\ndef f(db):\n    db.execute('SELECT sealed FROM ' + A + 'late')",
        "def f(db):\n    return list(db.iterdump())",
        "def f(db, other):\n    db.backup(other)",
        "def f(file, text):\n    return file.read(text, ())",
    ],
)
def test_a_statement_that_is_put_together_or_goes_around_is_seen(text: str):
    assert sql(text)


@pytest.mark.parametrize(
    "text",
    [
        "X = 'SELECT sealed FROM template WHERE record_id = ?'",
        "X = 'select sealed\\n  from template where record_id = ?'",
        "X = 'DELETE FROM template WHERE record_id = ?'",
        "C = 'a, b'\nX = f'SELECT {C} FROM holder WHERE card_serial = ?'\ndef f(db):\n    db.execute(X, ())",
        "X = 'the template of a person, selected by whoever holds the card'",
        "X = 'ALTER TABLE limits ADD COLUMN touched REAL'",
        "def f(db):\n    q = 'SELECT x FROM holder WHERE y = ?'\n    db.execute(q, (1,))",
    ],
)
def test_a_keyed_statement_and_ordinary_text_are_left_alone(text: str):
    assert not sql(text)


DYNAMIC = [
    "def f(x, n):\n    return getattr(x, n)",
    "def f(x):\n    return getattr(x, 'do' + 't')",
    "eval('1')",
    "exec('1')",
    "__import__('os')",
    "import importlib\nimportlib.import_module('x')",
    "import ctypes",
    "import pickle",
    "import gc",
    "import torch",
    "from os import *",
    "import edge.session.verifier as v\nv.compare = None",
    "import numpy as np\nnp.dot = None",
    "def f(x):\n    return x.__dict__",
    "def f(x):\n    return x.__class__.__subclasses__()",
    "import sys\nsys.modules['edge'] = None",
    "import numpy as np\nnp.load('x', allow_pickle=True)",
    "def f(x):\n    setattr(x, 'a', 1)",
    "A = type('A', (), {})",
    "def f(x):\n    return globals()[x]",
]


@pytest.mark.parametrize("text", DYNAMIC)
def test_code_that_comes_into_being_while_running_is_seen(text: str):
    assert list(statements.dynamics(module(text)))


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return getattr(x, 'name', None)",
        "import re\nre.compile('x')",
        "import numpy",
        "def f(self):\n    self.x = 1",
    ],
)
def test_ordinary_code_is_left_alone(text: str):
    assert not list(statements.dynamics(module(text)))


@pytest.mark.parametrize(
    "text",
    [
        "import socket",
        "from http import server",
        "import asyncio",
        "import paho.mqtt.client",
        "def f(s):\n    s.bind(('', 80))",
        "def f(x):\n    x.serve_forever()",
        "import multiprocessing",
    ],
)
def test_a_listener_is_seen(text: str):
    assert list(statements.listeners(module(text)))


def test_a_digest_follows_what_a_function_does_and_not_how_it_is_laid_out():
    def of(text: str) -> str:
        return digest(module(text).functions["f"][0])

    plain = of("def f(a):\n    return a + 1\n")
    assert of('def f(a):\n    """Says more."""\n    # and more\n    return (a\n        + 1)\n') == plain
    assert of("def f(a):\n    return a + 2\n") != plain
    assert of("def f(a):\n    return a - 1\n") != plain
    assert of("@cache\ndef f(a):\n    return a + 1\n") != plain


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_do_anything_but_parse_or_refuse(text: str):
    try:
        one = module(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    known = templates.takers([one])
    for look in (
        templates.similarities,
        templates.gates,
        templates.collections,
        statements.dynamics,
        statements.listeners,
    ):
        list(look(one))
    list(templates.loops(one, known))
    list(statements.statements(one, {}))


def test_constants_are_folded_and_nothing_else_is():
    one = module("A = 'x'\nB = A + 'y'\nC = f'{B}z'\nD = f(A)\n")
    assert one.strings == {"A": "x", "B": "xy", "C": "xyz"}
    assert folded(one.tree.body[3], one.strings) is None
