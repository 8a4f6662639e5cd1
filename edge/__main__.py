"""`python -m edge`, and the entry point of the installed command."""

from edge._isolated import run_isolated


def run() -> None:
    """Run the command line, isolated where this is a device build."""
    run_isolated()
    from edge.cli import run as command

    command()


if __name__ == "__main__":
    run()
