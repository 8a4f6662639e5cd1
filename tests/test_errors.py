"""The tree of errors is drawn where a caller looks, and every leaf of it says what, where and what to do."""

from __future__ import annotations

import inspect

from edge import errors
from edge.errors import EdgeError


def drawn(parent: type[EdgeError], depth: int = 1) -> list[str]:
    own = [cls for cls in vars(errors).values() if inspect.isclass(cls) and cls.__bases__ == (parent,)]
    return [line for cls in own for line in (f"{'    ' * (depth + 1)}{cls.__name__}", *drawn(cls, depth + 1))]


def test_the_docstring_draws_the_tree_as_it_is():
    tree = "\n".join(["    EdgeError", *drawn(EdgeError)])
    assert errors.__doc__ is not None
    assert errors.__doc__.rstrip().endswith(tree), f"draw it so:\n{tree}"


def test_every_error_has_an_exit_code_of_ours_and_words_of_its_own():
    for cls in vars(errors).values():
        if inspect.isclass(cls) and issubclass(cls, EdgeError):
            assert cls.exit_code in (1, 2, 3, 4)
            assert cls.__doc__
            assert cls.__doc__ != EdgeError.__doc__ or cls is EdgeError
