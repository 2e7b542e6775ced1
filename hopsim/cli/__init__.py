"""The command line: `hopsim run / status / merge / table / plot / theory / reproduce`. It parses, calls, prints."""

import os
import sys
import traceback
from collections.abc import Sequence

from ..errors import Refused
from ..executors import SchedulerLost
from ..interruption import Interrupted
from ..store import StoreFailed
from ..theory import NotConverged
from ..version import __version__
from . import catalogue, scans, theory
from .arguments import DONE, FAILED, INTERRUPTED, REFUSED, Parser

IN_WORDS = (Refused, NotConverged, StoreFailed, SchedulerLost)  # errors whose message says it all


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 the work failed, 2 the request was wrong."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.command(chosen))
    except Refused as error:
        return _complain(error, REFUSED, chosen.debug)
    except KeyboardInterrupt as signal:
        print("hopsim: stopped; what has finished is stored, run the same command again to continue", file=sys.stderr)
        return signal.code if isinstance(signal, Interrupted) else INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        return _complain(error, FAILED, chosen.debug)


def _parser() -> Parser:
    parser = Parser(prog="hopsim", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for part in (scans, catalogue, theory):
        part.add_to(commands)
    return parser


def _complain(error: Exception, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    kind = "" if isinstance(error, IN_WORDS) else f"{type(error).__name__}: "
    print(f"hopsim: {kind}{error}", file=sys.stderr)
    return code
