"""What the walks through the documents share: the team of the end-to-end tests, whose system they use."""

from tests.e2e.conftest import team

__all__ = ["team"]
