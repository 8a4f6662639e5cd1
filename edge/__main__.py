"""`python -m edge`."""

from edge.cli import run

if __name__ == "__main__":
    run()
