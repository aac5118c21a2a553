"""The command line: finds a command's room, and turns every end of it into an exit code and a message.

One handler for all: errors of the product by their class; wrong usage 2; interrupted 130; a full or failing disk 9;
anything else 15, of which the station's log gets class and place, never the text.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from .commands.frame import Act, Call, Room
from .commands.show import clean, print_json
from .common.clock import SystemClock, iso
from .common.errors import JiyaoError, Unexpected
from .common.messages import LANGS, Lang, advise, catalogue, say

ROOMS: Final = {
    "init": "station", "doctor": "station", "clock": "station", "person": "people", "account": "people",
    "approval": "approval", "circle": "circle", "receive": "receive", "ingest": "ingest",
    "documents": "documents", "review": "review", "batch": "batch", "copies": "copies", "carriers": "carriers",
    "circulate": "rounds", "borrow": "rounds", "transport": "rounds", "clearing": "rounds", "recall": "rounds",
    "filing": "rounds",
    "matter": "matter", "trace": "trace",
    "due": "due", "urge": "urge", "inventory": "inventory", "register": "register", "destroy": "destroy",
    "certificate": "certificate", "ledger": "ledger", "hold": "hold", "incident": "incident",
    "backup": "backup", "restore": "backup",
    "policy": "policy", "learn": "learn", "drill": "drill", "vault": "vault", "serve": "later", "bench": "bench",
}  # fmt: skip
"""Every command and the module of `commands/` it stands in; a module is read when one of its commands is called."""


_SELDOM: Final = (10_000, 20, 20)
"""New objects after which Python looks for those that only hold each other. A command makes some hundred thousand while
it loads, all of which stay: looking through them again and again takes a tenth of its time.
"""


class Jiyao(Room):
    """The whole command line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All commands, in the order of the day."""
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in ROOMS:
            return None
        module = import_module(f".commands.{ROOMS[cmd_name]}", __package__)
        found: click.Command = getattr(module, cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """All commands with the beginning of their help; none of their modules is read for that."""
        wide = formatter.width - 6 - max(map(len, ROOMS))
        rows = [(name, Act(name).get_short_help_str(wide)) for name in ROOMS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> Any:
        """Runs a command and exits with its code."""
        gc.set_threshold(*_SELDOM)
        words = sys.argv[1:] if args is None else list(args)
        call = Call(lang_said=_lang_said(words))
        code = _serve(self, call, words, prog_name or "jiyao", complete_var, extra)
        if standalone_mode:
            sys.exit(code)
        return code


def _serve(
    group: Jiyao, call: Call, words: list[str], name: str, complete_var: str | None, extra: dict[str, Any]
) -> int:
    try:
        ended = click.Group.main(group, words, name, complete_var, standalone_mode=False, obj=call, **extra)
        return ended if isinstance(ended, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        return _no_command(call, words, error)
    except click.ClickException as error:
        return _tell(call, words, _usage_error(error))
    except (click.Abort, KeyboardInterrupt):
        return _tell(call, words, Interrupted("interrupted"))
    except JiyaoError as error:
        return _tell(call, words, error)
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except Exception as error:  # noqa: BLE001
        # read here: it knows the registry's errors, and their library loads in half a second
        from .pipeline.station.faults import as_product_error

        return _tell(call, words, as_product_error(error) or _log(call, error))


class Interrupted(JiyaoError):
    """Stopped by the user; what was finished is kept (exit 130)."""

    exit_code = 128 + signal.SIGINT


def _tell(call: Call, words: list[str], error: JiyaoError) -> int:
    """Prints an error: one line on stderr, or with `--json` the value it still has, with the error in it."""
    lang = call.lang
    facts = {key: _worded(key, clean(str(value)), lang) for key, value in error.facts.items()}
    message, hint = say(error.code, lang, **facts), advise(error.code, lang, **facts)
    with contextlib.suppress(BrokenPipeError):
        if call.json or "--json" in words:
            told = {"error": {"code": error.code, "message": message, "hint": hint}}
            print_json({**(error.value or {}), **told} if error.exit_code in (6, 7, 8) else told)
        else:
            click.echo(f"{say('error_line', lang)}{message}{'' if lang == 'zh' else ' '}{hint}", err=True)
    return error.exit_code


def _worded(key: str, value: str, lang: Lang) -> str:
    """A fact in words where the catalogue has a label for it (`block_permanent`, `status_destroyed` …)."""
    labels = [f"{key}_{value}"] + [f"status_{value}"] * (key == "state")
    return next((say(label, lang) for label in labels if label in catalogue()), value)


class _Usage(JiyaoError):
    exit_code = 2


def _usage_error(error: click.ClickException) -> JiyaoError:
    """Click's own complaint, in the user's language as far as its kind can be told."""
    match error:
        case click.exceptions.NoSuchCommand():
            return _Usage("usage_no_command", name=error.command_name)
        case click.NoSuchOption():
            return _Usage("usage_no_option", name=error.option_name)
        case click.MissingParameter():
            return _Usage("usage_missing", name=_name(error))
        case click.UsageError(ctx=click.Context(command=click.Group())) if type(error) is click.UsageError:
            return _Usage("usage_no_command_given")
        case click.BadParameter():
            return _Usage("usage_bad_value", name=_name(error), detail=error.message)
        case _:
            return _Usage("usage", detail=error.format_message())


def _name(error: click.BadParameter) -> str:
    if error.param is None or error.ctx is None:
        return "-"
    return (
        error.param.opts[0] if isinstance(error.param, click.Option) else error.param.make_metavar(error.ctx)
    )


def _no_command(call: Call, words: list[str], error: click.UsageError) -> int:
    if call.json or "--json" in words:
        return _tell(call, words, _Usage("usage_no_command_given"))
    error.show()
    return error.exit_code


def _lang_said(words: list[str]) -> Lang | None:
    for before, word in zip(["", *words], words, strict=False):
        for lang in LANGS:
            if word == f"--lang={lang}" or (before == "--lang" and word == lang):
                return lang
    return None


def _log(call: Call, error: Exception) -> JiyaoError:
    """Writes class and place of an unforeseen error to the station's log; its text may hold anything and stays out."""
    frames = [
        (frame.f_globals.get("__name__", "?"), line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [place for place in frames if str(place[0]).startswith(f"{__package__}.")] or frames
    module, line = own[-1] if own else ("?", 0)
    kind = type(error).__name__
    path = call.home / "logs" / "jiyao.log"
    if path.parent.is_dir():
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as out:
            out.write(f"{iso(SystemClock().now())} {kind} {module}:{line}\n")
    return Unexpected("unexpected", kind=kind, place=f"{module}:{line}", log=str(path))


def _forget_stdout() -> None:
    """Whoever read our output has gone; nothing more is written to it."""
    with contextlib.suppress(OSError):
        sys.stdout.close()


main = Jiyao()

if __name__ == "__main__":
    main()
