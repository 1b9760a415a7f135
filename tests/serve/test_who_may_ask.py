"""Which requests are answered: hosts, origins, sizes, token."""

import re

import pytest

from support.api_client import TOKEN, Client, app_of

# Who may ask


@pytest.mark.parametrize("host", ["localhost:8080", "[::1]:8080", "CAMERAS.example", "127.0.0.1"])
def test_own_names_are_answered(client, host):
    assert client.get("/api/status", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "10.1.2.3"]
)
def test_names_of_others_are_not_answered(client, host):
    for path in ("/", "/api/status", "/login", "/static/app.css"):
        assert client.get(path, headers={"Host": host}).status_code == 421


def test_the_address_that_a_client_connected_to_is_answered(run):
    there = Client(app_of(run), base="http://192.168.7.7:8080")
    assert there.get("/api/status").status_code == 200
    assert there.get("/api/status", headers={"Host": "192.168.7.8:8080"}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8080"},
    ],
)
def test_pages_of_others_change_nothing(client, run, headers):
    answer = client.put("/api/people/1/name", json={"name": "x"}, headers=headers)
    assert answer.status_code == 403
    assert run.registry.name(1) == ""


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8080"}, {"Sec-Fetch-Site": "same-origin"}],
)
def test_the_page_itself_and_programs_change_things(client, headers):
    answer = client.put("/api/people/1/name", json={"name": "x"}, headers=headers)
    assert answer.status_code == 200


def test_nothing_is_changed_by_get(client, run):
    for path in ("/api/people/1/name", "/api/people/1/merge", "/api/people/1/split"):
        assert client.get(path).status_code == 405
    assert client.get("/api/edits/1/undo").status_code == 405
    assert run.view.said == []


def test_what_is_too_large_is_not_read(client):
    answer = client.put("/api/people/1/name", content=b"x" * 70_000)
    assert answer.status_code == 413

    async def endless():
        yield b"x"

    assert client.put("/api/people/1/name", content=endless()).status_code == 411


def test_browsers_are_told_what_the_page_may_do(client):
    for path in ("/", "/api/status", "/static/main.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


# With a token


def paths_of(app):
    yield from ("/", "/static/main.js", "/docs", "/nothing", "/logout")
    for path in app.openapi()["paths"]:
        yield re.sub(r"\{camera\}", "lobby", re.sub(r"\{(?!camera)\w+\}", "1", path))
    yield "/api/openapi.json"


def test_the_token_is_asked_for_on_every_page_and_call(closed):
    client = Client(closed)
    paths = list(paths_of(closed))
    assert len(paths) > 15
    for path in paths:
        for method in ("GET", "POST", "PUT"):
            answer = client.ask(method, path)
            if (method, path) == ("GET", "/"):
                assert answer.headers["location"] == "/login"
                continue
            assert answer.status_code == 401, (method, path)
            assert "lobby" not in answer.text


def test_programs_say_the_token_in_a_header(closed):
    ask = Client(closed).get
    assert ask("/api/status", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert ask("/metrics", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert ask("/api/status", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask("/api/status", headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
    assert ask(f"/api/status?token={TOKEN}").status_code == 401


def test_people_log_in_and_out(closed):
    client = Client(closed)
    assert "Access token" in client.get("/login").text
    answer = client.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    inside = Client(closed, headers={"Cookie": cookie.split(";")[0]})
    assert inside.get("/api/status").json()["needs_token"] is True
    out = inside.post("/logout").headers["set-cookie"]
    assert 'reid_pipeline_login=""' in out
    assert "Max-Age=0" in out


def test_over_https_the_cookie_never_travels_without_it(closed):
    client = Client(closed, base="https://127.0.0.1:8080")
    assert "Secure" in client.post("/login", data={"token": TOKEN}).headers["set-cookie"]


def test_guessing_is_limited_by_address(closed):
    guess = Client(closed)
    for _ in range(5):
        answer = guess.post("/login", data={"token": "guess"})
        assert answer.status_code == 403
        assert "not the token" in answer.text
        assert "set-cookie" not in answer.headers
    assert guess.post("/login", data={"token": TOKEN}).status_code == 429
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert guess.get("/api/status", headers=bearer).status_code == 429
    other = Client(closed, address="10.0.0.10")
    assert other.get("/api/status", headers=bearer).status_code == 200


def test_where_no_token_is_needed_nobody_is_asked_for_one(client):
    assert client.get("/login").headers["location"] == "/"
