"""`reid-pipeline users`: who may sign in to the page."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal import Console
from pipeline.jobs.users import change_users
from pipeline.serve.users import Role

__all__ = ["users_app"]

users_app = typer.Typer(
    help="Say who may sign in to the page of `live` and `serve`: a file for `live.web.users`.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Name of the user.")]


@users_app.callback()
def choose(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file of users; made if it is not there.")],
) -> None:
    """Say who may sign in to the page of `live` and `serve`: a file for `live.web.users`."""
    context.obj = file


@users_app.command()
def add(
    context: typer.Context,
    name: Name,
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    keep_password: Annotated[
        bool, typer.Option("--keep-password", help="Change the role alone.")
    ] = False,
) -> None:
    """Add a user, or change password and role; the password is asked for."""
    password = None
    if not keep_password:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    change_users(context.obj, lambda book: book.with_user(name, role, password))
    _say(f"{name} may sign in as {role}")


@users_app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove a user, whose logins and tokens end."""
    change_users(context.obj, lambda book: book.without(name))
    _say(f"{name} may not sign in any more")


@users_app.command()
def token(context: typer.Context, name: Name) -> None:
    """Make a token with which a program may do what a user may; it is shown this once."""
    made = secrets.token_urlsafe(24)
    change_users(context.obj, lambda book: book.with_token(name, made))
    Console().print(made, highlight=False, markup=False, soft_wrap=True)


def _say(text: str) -> None:
    Console().print(text, highlight=False, markup=False)
