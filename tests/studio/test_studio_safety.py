import asyncio
import os

import pytest

from ethogram.errors import ConfigError, RunError
from ethogram.studio.safety import COOKIE, Guard, Root, html, is_loopback


def visit(guard_options, path="/", query="", **headers):
    """What a guarded application answers: status, headers, and whether the application was reached."""
    reached, sent = [], []

    async def inner(scope, receive, send):
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    given = {"host": "127.0.0.1:8080", **{k.replace("_", "-"): v for k, v in headers.items()}}
    scope = {
        "type": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in given.items()],
    }
    asyncio.run(Guard(inner, **guard_options)(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), bool(reached)


def test_only_pages_of_its_own_talk_to_it():
    assert visit({})[0] == 200
    assert visit({}, origin="http://127.0.0.1:8080")[0] == 200
    for foreign in ("http://example.org", "http://127.0.0.1:9", "null"):
        assert visit({}, origin=foreign)[::2] == (403, False)
    for name in ("example.org", "127.0.0.1.example.org:8080", "localhost.example.org"):
        assert visit({}, host=name)[::2] == (403, False)
    assert visit({}, host="localhost:8080")[0] == visit({}, host="[::1]:8080")[0] == 200


def test_a_token_is_demanded_and_kept_in_a_cookie():
    asked = {"token": "secret", "local": False}
    assert visit(asked)[::2] == (401, False)
    assert visit(asked, query="token=guess")[::2] == (401, False)
    assert visit(asked, cookie=f"{COOKIE}=guess")[::2] == (401, False)
    status, head, reached = visit(asked, "/run", "path=a%20b&token=secret")
    assert (status, reached) == (303, False)
    assert head[b"location"] == b"/run?path=a+b"
    assert b"HttpOnly" in head[b"set-cookie"] and b"SameSite=Strict" in head[b"set-cookie"]
    assert visit(asked, cookie=f"x=1; {COOKIE}=secret")[::2] == (200, True)
    assert visit(asked, host="any.name", cookie=f"{COOKIE}=secret")[0] == 200


def test_pages_may_load_nothing_from_elsewhere():
    policy = visit({})[1][b"content-security-policy"].decode()
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy


@pytest.mark.parametrize(
    "host, local", [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback(host, local):
    assert is_loopback(host) is local


def run_folder(path):
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    return path


def test_nothing_outside_of_the_root_is_opened(tmp_path):
    inside, outside = run_folder(tmp_path / "root" / "a" / "b"), run_folder(tmp_path / "secret")
    os.symlink(outside, tmp_path / "root" / "link")
    root = Root(tmp_path / "root")
    assert root.open("a/b") == inside.resolve()
    for name in ("../secret", "link", str(outside), "a", "", "a/b/../../../secret", "a\0b", "x" * 9999):
        with pytest.raises(RunError, match="is no run below"):
            root.open(name)


def test_of_runs_given_only_these_and_their_branches_are_opened(tmp_path):
    one = run_folder(tmp_path / "one")
    run_folder(tmp_path / "two")
    run_folder(tmp_path / "one-branch-3")
    root = Root(None, [one])
    assert root.open(root.name(one.resolve())) == one.resolve()
    assert root.open("one-branch-3").name == "one-branch-3"
    with pytest.raises(RunError):
        root.open("two")
    with pytest.raises(ConfigError, match="outside of the root"):
        Root(tmp_path / "one", [tmp_path / "two"])
    with pytest.raises(ConfigError, match="there is no folder"):
        Root(None, [tmp_path / "three"])


def test_values_go_into_html_as_text():
    assert html("<b>{}</b>", "<i>&'\"") == "<b>&lt;i&gt;&amp;&#39;&#34;</b>"


def test_a_server_for_others_prints_a_token(root):
    import urllib.error
    import urllib.request

    from conftest import Studio

    served = Studio("--root", root, "--host", "0.0.0.0", folder=root.parent)
    try:
        address = served.says.split(" at ")[1].strip()
        assert "token=" in address
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(served.url, timeout=20)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b"ethogram studio" in opener.open(address, timeout=20).read()
    finally:
        served.close()
