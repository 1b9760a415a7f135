"""Users, what their roles may do, and that it is noted."""

import json
import os
import re

import pytest

from pipeline.errors import SettingsError
from pipeline.serve.access import MAX_GUESSES, Access, Verdict
from pipeline.serve.audit import AuditLog
from pipeline.serve.users import HASHER, Role, User, UserBook, hash_of_token
from support.api_client import Client, app_of

PASSWORD = "a password of many words"
TOKENS = {role: f"token-of-the-{role}-which-is-long" for role in Role}
HASH = HASHER.hash(PASSWORD)
BOOK = UserBook(
    [
        User(name=f"the-{role}", role=role, password=HASH, tokens=(hash_of_token(token),))
        for role, token in TOKENS.items()
    ]
)
READS = {"get", "head", "options"}
ADMIN = {("get", "/api/audit"), ("delete", "/api/people/{identity}")}


@pytest.fixture
def audit(tmp_path):
    return AuditLog(tmp_path / "audit.jsonl")


@pytest.fixture
def app(run, audit):
    return app_of(run, users=BOOK, audit=audit)


def as_role(app, role):
    return Client(app, headers={"Authorization": f"Bearer {TOKENS[role]}"})


def calls(app):
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            yield method, path


def needed(method, path):
    if (method, path) in ADMIN:
        return Role.ADMIN
    return Role.VIEWER if method in READS else Role.OPERATOR


@pytest.mark.parametrize("role", list(Role))
def test_no_call_does_more_than_a_role_may(app, role):
    """Every call of the API's own description, the streams aside, by every role."""
    client, asked = as_role(app, role), 0
    for method, path in calls(app):
        if "stream" in path:
            continue
        address = re.sub(r"\{camera\}", "lobby", re.sub(r"\{(?!camera)\w+\}", "1", path))
        status = client.ask(method.upper(), address).status_code
        assert (status == 403) == (not role.includes(needed(method, path))), (method, path, status)
        assert status != 401
        asked += 1
    assert asked > 25


def test_nobody_gets_in_without_saying_who_they_are(app):
    for method, path in calls(app):
        assert Client(app).ask(method.upper(), path).status_code == 401, (method, path)


def test_what_a_viewer_was_refused_did_not_happen(app, run):
    viewer = as_role(app, Role.VIEWER)
    assert viewer.put("/api/people/1/name", json={"name": "x"}).status_code == 403
    assert run.registry.name(1) == ""
    assert as_role(app, Role.OPERATOR).put("/api/people/1/name", json={"name": "x"}).is_success


def test_admins_alone_erase_people_and_that_is_noted(app, run, audit):
    run.eraser.asked.clear()
    assert as_role(app, Role.OPERATOR).ask("DELETE", "/api/people/1").status_code == 403
    assert as_role(app, Role.OPERATOR).ask("DELETE", "/api/people/1/").status_code == 403
    assert run.eraser.asked == []
    admin = as_role(app, Role.ADMIN)
    foreign = {"Origin": "http://elsewhere.example"}
    assert admin.ask("DELETE", "/api/people/1", headers=foreign).status_code == 403
    assert admin.ask("DELETE", "/api/people/77").status_code == 404
    answer = admin.ask("DELETE", "/api/people/1")
    assert (answer.status_code, answer.json()) == (200, {"files": 3, "still_watched": ["Bert"]})
    assert run.eraser.asked == [1]
    (newest,) = audit.newest(1)
    assert (newest["user"], newest["action"], newest["status"]) == (
        "the-admin",
        "DELETE /api/people/1",
        200,
    )


def test_people_sign_in_by_name_and_password(app):
    client = Client(app)
    page = client.get("/login").text
    assert "Password" in page
    assert "Access token" not in page
    for name, password in (("the-viewer", "wrong password"), ("nobody", PASSWORD), ("", "")):
        answer = client.post("/login", data={"name": name, "password": password})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    answer = client.post("/login", data={"name": "the-viewer", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].split(";")[0]
    inside = Client(app, headers={"Cookie": cookie})
    status = inside.get("/api/status").json()
    assert (status["user"], status["role"], status["needs_token"]) == ("the-viewer", "viewer", True)
    assert inside.put("/api/people/1/name", json={"name": "x"}).status_code == 403
    assert inside.post("/logout").status_code == 303
    assert inside.get("/api/status").status_code == 401, "a login that was ended is worth nothing"


def test_a_login_cannot_be_turned_into_that_of_somebody_else(app):
    answer = Client(app).post("/login", data={"name": "the-viewer", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].split(";")[0].replace('"', "")
    forged = cookie.replace("the-viewer", "the-admin")
    assert Client(app, headers={"Cookie": forged}).get("/api/audit").status_code == 401


def test_guessing_is_limited_by_address_and_by_name():
    door = Access(None, BOOK, clock=lambda: 0.0)
    for n in range(MAX_GUESSES):
        verdict, _ = door.try_password("the-admin", "guess", f"10.0.0.{n}")
        assert verdict == Verdict.WRONG
    assert door.try_password("the-admin", PASSWORD, "10.0.0.99")[0] == Verdict.TOO_MANY
    assert door.try_password("the-viewer", PASSWORD, "10.0.0.99")[0] == Verdict.WELCOME


def test_a_new_password_ends_logins():
    before = Access(None, BOOK)
    visitor = before.try_password("the-viewer", PASSWORD, "")[1]
    book = BOOK.with_user("the-viewer", Role.VIEWER, "another password")
    assert before.visitor_of(before.cookie(visitor)) == visitor
    assert Access(None, book).visitor_of(before.cookie(visitor)) is None
    assert Access(None, BOOK.without("the-viewer")).visitor_of(before.cookie(visitor)) is None


def test_names_that_are_not_there_take_as_long_and_so_do_wrong_tokens(monkeypatch):
    """Whatever is wrong, one password is hashed, and every token is compared."""
    from pipeline.serve import users

    hashed, compared = [], []
    real = users.hmac.compare_digest
    monkeypatch.setattr(
        users, "HASHER", type("Hasher", (), {"verify": lambda _, hash_, __: hashed.append(hash_)})()
    )
    monkeypatch.setattr(users.hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    BOOK.with_password("nobody", "guess")
    BOOK.with_password("the-admin", "guess")
    assert len(hashed) == 2
    for token in ("guess", *TOKENS.values()):
        compared.clear()
        BOOK.of_token(token)
        assert len(compared) == len(TOKENS)


def test_edits_say_who_made_them(app, run):
    told = as_role(app, Role.OPERATOR).put("/api/people/1/name", json={"name": "Anna"}).json()
    assert (told["author"], told["user"]) == ("hand", "the-operator")
    as_role(app, Role.ADMIN).post(f"/api/edits/{told['edit']}/undo")
    (edit,) = as_role(app, Role.VIEWER).get("/api/edits").json()
    assert (edit["user"], edit["undone"]) == ("the-operator", True)
    lines = run.registry.log.path.read_text().splitlines()
    assert [json.loads(line)["user"] for line in lines] == ["the-operator", "the-admin"]


def test_edits_by_the_one_token_or_without_any_name_nobody(run):
    told = Client(app_of(run)).put("/api/people/1/name", json={"name": "Anna"}).json()
    assert (told["author"], told["user"]) == ("hand", None)


# The log


def test_it_is_noted_who_did_what_and_from_where(app, audit, tmp_path):
    operator = as_role(app, Role.OPERATOR)
    operator.put("/api/people/1/name", json={"name": "Anna"})
    operator.post("/api/search", json={"identity": 1})
    operator.get("/api/people")
    Client(app).post("/login", data={"name": "the-admin", "password": "guess guess"})
    as_role(app, Role.VIEWER).post("/api/people/1/merge", json={"other": 2})
    lines = as_role(app, Role.ADMIN).get("/api/audit").json()
    assert [(e["user"], e["action"], e["status"]) for e in lines] == [
        ("the-viewer", "POST /api/people/1/merge", 403),
        ("the-admin", "sign in", 403),
        ("the-operator", "POST /api/search", 200),
        ("the-operator", "PUT /api/people/1/name", 200),
    ]
    assert {each["address"] for each in lines} == {"10.0.0.9"}
    file = tmp_path / "audit.jsonl"
    assert file.stat().st_mode & 0o077 == 0
    assert len(file.read_text().splitlines()) == 5, "that it was read is noted, too"
    assert as_role(app, Role.OPERATOR).get("/api/audit").status_code == 403


def test_lines_outlive_a_restart_until_they_are_too_old(tmp_path):
    path = tmp_path / "audit.jsonl"
    for day in (0, 5):
        AuditLog(path, clock=lambda day=day: day * 86_400.0).note(
            user="a", address="", action=f"day {day}", status=200
        )
    path.write_bytes(path.read_bytes() + b"{half a line")
    kept = AuditLog(path, keep_days=3, clock=lambda: 6 * 86_400.0)
    assert [each["action"] for each in kept.newest(9)] == ["day 5"]
    assert len(path.read_text().splitlines()) == 1


# The file


def test_a_file_of_users_is_read_and_hides_what_it_can(tmp_path):
    path = tmp_path / "users.json"
    path.write_text(json.dumps(BOOK.as_json()))
    with pytest.raises(SettingsError, match="can be read by others"):
        UserBook.read(path)
    path.chmod(0o600)
    assert UserBook.read(path).of_token(TOKENS[Role.ADMIN]).role is Role.ADMIN
    assert PASSWORD not in path.read_text()
    assert TOKENS[Role.ADMIN] not in path.read_text()


ANNA = BOOK.users[f"the-{Role.ADMIN}"].model_dump(mode="json")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[]",
        '{"users": [{"name": "a"}]}',
        '{"users": 1}',
        json.dumps({"users": [ANNA, ANNA]}),
        json.dumps({"users": [ANNA | {"password": PASSWORD}]}),
        json.dumps({"users": [ANNA | {"password": HASH[:60]}]}),
        json.dumps({"users": [ANNA | {"password": HASH.replace("m=", "m=9999")}]}),
        json.dumps({"users": [ANNA | {"tokens": [TOKENS[Role.ADMIN]]}]}),
        json.dumps({"users": [ANNA | {"token": TOKENS[Role.ADMIN]}]}),
    ],
)
def test_damaged_files_are_refused_in_one_line_that_repeats_no_secret(tmp_path, text):
    path = tmp_path / "users.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="is damaged") as caught:
        UserBook.read(path)
    assert "\n" not in str(caught.value)
    assert not any(secret in str(caught.value) for secret in (PASSWORD, *TOKENS.values()))


def test_a_pipe_in_place_of_the_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "users.json", 0o600)
    with pytest.raises(SettingsError, match="no file"):
        UserBook.read(tmp_path / "users.json")
