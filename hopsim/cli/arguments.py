"""What all commands share: the parser and its errors, kinds of arguments, and exit codes."""

import argparse
import math
import sys
from typing import NoReturn

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"hopsim: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(REFUSED)


def add(
    commands: "argparse._SubParsersAction[Parser]", name: str, function: object, what: str, example: str
) -> argparse.ArgumentParser:
    """A command with its function and an example."""
    parser = commands.add_parser(
        name,
        help=what,
        description=what.capitalize() + ".",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=function)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be I/N with 1 <= I <= N, got {text}")
    return int(part), int(parts)


def seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds >= 0, got {text}")
    return seconds


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text}")
    return int(text)
