"""The command line: `ethogram run SLUG`, and what to do with what it leaves behind.

Whatever a user can mend ends in one sentence on stderr and exit status 2; an interrupt ends in 130 and says how to resume.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]


class Interrupted(Exception):
    """Ctrl-C, with the sentence that says how to go on."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line with the process's arguments, or with those given, and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(dispatch([word for word in words if word != "--debug"], debug))


def dispatch(words: list[str], debug: bool = False) -> int:
    """Carry out a command line; returns its exit status."""
    from ethogram.errors import EthogramError, not_installed

    try:
        from ethogram.cli.app import app

        status = app(words, prog_name="ethogram", standalone_mode=False)
        sys.stdout.flush()
        # the parser turns an interrupt that no command has caught into 130, and has said nothing
        return complain("interrupted", 130) if status == 130 else status if isinstance(status, int) else 0
    except EthogramError as error:
        if debug:
            raise
        return complain(str(error), 2)
    except Interrupted as error:
        return complain(str(error), 130)
    except KeyboardInterrupt:
        return complain("interrupted", 130)
    except ModuleNotFoundError as error:
        if debug:
            raise
        return complain(str(not_installed(error, "this")), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on, as in `ethogram atlas | head`
        return 0
    except Exception as error:
        usage = getattr(error, "format_message", None)  # what the parser of the command line raises
        if usage is None or debug:
            raise
        return complain(usage(), 2)


def complain(sentence: str, status: int) -> int:
    """Say one sentence on stderr; returns the exit status."""
    text = " ".join(sentence.split())
    print(f"ethogram: {text}", file=sys.stderr)
    return status
