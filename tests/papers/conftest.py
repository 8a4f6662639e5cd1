"""The cards that are drawn are those that are made for the tests of tokens."""

from tests.claim.conftest import make, site

__all__ = ["make", "site"]
