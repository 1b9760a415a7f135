"""`reid-pipeline users`: the file of those who may sign in."""

from typer.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.users import users_app
from pipeline.serve.users import Role, UserBook

PASSWORD = "a password of many words"


def users(*arguments, typed=None):
    return CliRunner().invoke(users_app, [str(each) for each in arguments], input=typed)


def test_users_are_added_changed_given_tokens_and_removed(tmp_path):
    path = tmp_path / "users.json"
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    added = users(path, "add", "anna", "--role", "operator", typed=typed)
    assert added.exit_code == 0, added.output
    assert PASSWORD not in added.output + path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert UserBook.read(path).with_password("anna", PASSWORD).role is Role.OPERATOR
    assert users(path, "add", "anna", "--role", "viewer", "--keep-password").exit_code == 0
    assert UserBook.read(path).with_password("anna", PASSWORD).role is Role.VIEWER
    token = users(path, "token", "anna").output.strip()
    assert UserBook.read(path).of_token(token).name == "anna"
    assert users(path, "remove", "anna").exit_code == 0
    assert UserBook.read(path).users == {}


def test_names_and_passwords_that_are_none_are_refused(tmp_path, capfd):
    path = tmp_path / "users.json"
    assert main(["users", str(path), "remove", "anna"]) == 2
    assert "there is no user anna: there is nobody" in capfd.readouterr().err
    short = users(path, "add", "anna", typed="short\nshort\n")
    assert "at least 10 characters" in str(short.exception)
    odd = users(path, "add", "an na", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "no name of a user" in str(odd.exception)
    assert not path.exists()
