"""The frame of every command: global options before and after it, help from the catalogue, the door to the station.

Help texts stand in the catalogue, in both languages: `help_<command>` for a command, `opt_<command>_<option>` or
`opt_<option>` for an option; so a command is declared by its names alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ..common.errors import UsageFault
from ..common.messages import LANGS, Lang, catalogue, say
from ..common.paging import PAGE
from ..common.settings import default_home
from ..models.level import Level
from ..pipeline.station.secrets import EnvironmentSecrets

if TYPE_CHECKING:
    from ..pipeline.persons.actors import Actor
    from ..pipeline.station.station import Station


@dataclass(slots=True)
class Call:
    """One call's global options; filled while the command line is read, whichever place they stand in."""

    home_given: str | None = None
    lang_given: Lang | None = None
    lang_said: Lang | None = None
    """As the words of the command line say, also when they were not read to their end (`--help` stops there)."""
    json: bool = False
    verbose: bool = False
    user_given: str | None = None

    @property
    def home(self) -> Path:
        """`--home`, else `$JIYAO_HOME`, else `~/.jiyao`; absolute."""
        return Path(self.home_given).expanduser().absolute() if self.home_given else default_home()

    @property
    def lang(self) -> Lang:
        """`--lang`, else `$JIYAO_LANG`, else the locale, else Chinese."""
        return self.lang_given or self.lang_said or environment_lang()

    @property
    def user(self) -> str | None:
        """`--user`, else `$JIYAO_USER`."""
        return self.user_given or os.environ.get("JIYAO_USER") or None


def environment_lang() -> Lang:
    """The language of `$JIYAO_LANG` or the locale; Chinese when neither names one of the two."""
    for name in ("JIYAO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            found = next((lang for lang in LANGS if value.lower().startswith(lang)), None)
            if found or name == "JIYAO_LANG":
                return found or "zh"
    return "zh"


def current() -> Call:
    """The call being served; plain defaults outside of one (when help pages are generated)."""
    context = click.get_current_context(silent=True)
    return (context.find_object(Call) if context else None) or Call()


# ---------------------------------------------------------------- options and commands


def _global_options(*, hidden: bool) -> list[click.Parameter]:
    """The global options; each command takes them too, so that they also work after it."""

    def keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
            call = context.find_object(Call)
            if call is not None and value not in (None, False):
                setattr(call, name, value)

        return callback

    make = partial(Option, expose_value=False, hidden=hidden, is_eager=True)
    return [
        make(["--home"], callback=keep("home_given"), metavar="DIR"),
        make(["--lang"], callback=keep("lang_given"), type=click.Choice(LANGS)),
        make(["--json"], callback=keep("json"), is_flag=True),
        make(["-v", "--verbose"], callback=keep("verbose"), is_flag=True),
        make(["--user"], callback=keep("user_given"), metavar="NAME"),
    ]


class Option(click.Option):
    """An option whose help stands in the catalogue."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Name and explanation, in the user's language."""
        path = getattr(ctx.command, "path", "")
        self.help = _said(f"opt_{path}_{self.name}", f"opt_{self.name}")
        return super().get_help_record(ctx)


class _Spoken:
    """Help text from the catalogue; `path` is the command's name with those of its groups, joined by `_`."""

    path: str = ""

    @property
    def help(self) -> str:
        """The help text in the user's language."""
        return _said(f"help_{self.path}")

    @help.setter
    def help(self, _value: str | None) -> None:
        """Texts stand in the catalogue only."""


class Act(_Spoken, click.Command):  # type: ignore[misc]
    """A command that also takes the global options."""

    def __init__(self, name: str | None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.path = _key(name or "")
        self.params += _global_options(hidden=True)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Reminds of the global options."""
        formatter.write_paragraph()
        formatter.write_text(say("help_globals", current().lang))


class Room(_Spoken, click.Group):  # type: ignore[misc]
    """A group of commands that also takes the global options."""

    command_class = Act

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.path = _key(name or "")
        self.params += _global_options(hidden=name is not None)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Adds a command; from then on it knows its whole name."""
        super().add_command(cmd, name)
        if isinstance(cmd, _Spoken) and self.path:
            cmd.path = f"{self.path}_{_key(name or cmd.name or '')}"

    def later(self, *names: str) -> None:
        """Adds commands of the contract that are not yet built: they say so, whatever follows."""
        for name in names:
            self.add_command(later(name, " ".join(filter(None, (self.name, name)))))


def later(name: str, whole: str) -> Act:
    """A command that is not yet built."""

    def refuse(**_: Any) -> None:
        raise UsageFault("not_yet_built", what=whole)

    return Act(
        name,
        callback=refuse,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
    )


option: Final = partial(click.option, cls=Option)


def bounded(default: int = PAGE) -> Callable[[Any], Any]:
    """The option that bounds a list."""
    return option("--limit", type=LIMIT, default=str(default), metavar="N|all")


argument: Final = click.argument


def _key(name: str) -> str:
    return name.replace("-", "_")


def _said(*codes: str) -> str:
    known = catalogue()
    return next((say(code, current().lang) for code in codes if code in known), "")


# ---------------------------------------------------------------- kinds of values


class LevelType(click.ParamType[Level]):
    """A level by its id or code."""

    name = "level"

    def convert(self, value: Any, param: Any, ctx: Any) -> Level:  # noqa: ARG002
        """The level.

        Raises:
            UsageFault: there is none of that name.
        """
        try:
            return Level.parse(str(value))
        except ValueError:
            raise UsageFault(
                "unknown_level", level=value, levels="、".join(f"{item.value} {item.code}" for item in Level)
            ) from None


class DateType(click.ParamType[date]):
    """A date, ISO."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:  # noqa: ARG002
        """The date.

        Raises:
            UsageFault: not an ISO date.
        """
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise UsageFault("bad_date", date=value) from None


class FieldType(click.ParamType[tuple[str, str]]):
    """A register field with its value, `N=V`."""

    name = "N=V"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:  # noqa: ARG002
        """Name and value.

        Raises:
            UsageFault: no `=`.
        """
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            raise UsageFault("bad_field", field=value)
        return name, text


class LimitType(click.ParamType[int]):
    """How many lines of a list: a number, or `all` (also 0), which is 0."""

    name = "limit"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number; 0 for all of them."""
        text = str(value)
        if text == "all":
            return 0
        if not (text.isascii() and text.isdigit()):
            self.fail(text, param, ctx)
        return int(text)


LEVEL: Final = LevelType()
LIMIT: Final = LimitType()
DATE: Final = DateType()
FIELD: Final = FieldType()
FILE: Final = click.Path(path_type=Path)
"""A path as given; it is opened only after the role has been checked."""


# ---------------------------------------------------------------- the door


def secrets() -> EnvironmentSecrets:
    """Passphrase and passwords from the environment; a person is asked only at a terminal."""
    return EnvironmentSecrets(_ask if sys.stdin is not None and sys.stdin.isatty() else None)


def _ask(code: str, user: str, new: bool) -> str:
    call = current()
    text = say(f"{code}_new" if new else code, call.lang, user=user)
    again = say("ask_again", call.lang) if new else False
    answer: str = click.prompt(text, hide_input=True, confirmation_prompt=again, err=True)
    return answer


def station() -> Station:
    """The station of this call, still locked."""
    # help and wrong usage are answered without the registry, whose libraries load in most of a second
    from ..pipeline.station.station import Station

    return Station.open(current().home)


def enter(act: str) -> tuple[Station, Actor]:
    """Opens the station and checks role, passphrase and password of the acting account."""
    from ..pipeline.persons import actors

    opened = station()
    return opened, actors.enter(opened, user=current().user, act=act, secrets=secrets())


def exclusive(**given: Any) -> None:
    """At most one of these options may be given.

    Raises:
        UsageFault: more than one.
    """
    names: Sequence[str] = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if len(names) > 1:
        raise UsageFault("options_exclude", options="、".join(names))
