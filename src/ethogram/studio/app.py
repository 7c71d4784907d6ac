"""The server: its pages, and who may see them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from nicegui import app, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from ethogram.errors import ConfigError, EthogramError
from ethogram.studio.cards import build_card, card_figure
from ethogram.studio.compare import build_comparison
from ethogram.studio.findings import build_study, figure_of, report_of
from ethogram.studio.jobs import Office
from ethogram.studio.playing import Tables
from ethogram.studio.reading import Records
from ethogram.studio.runs import Shelf, build_list
from ethogram.studio.safety import Guard, Root, html, is_loopback
from ethogram.studio.seats import build_choice
from ethogram.studio.watch import build_run

__all__ = ["serve"]

STATIC = Path(__file__).parent / "static"


def serve(
    runs: Sequence[Path] = (),
    root: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str = "",
    show: bool = True,
) -> None:
    """Serve the studio until it is interrupted.

    Args:
        runs: folders to show; none: all below the root.
        root: the folder outside of which nothing is opened.
        host: the address to bind to. Where others can reach it, visitors need a token.
        port: its port.
        token: what visitors must know; empty: nothing on loopback, else a token made up and printed.
        show: open a browser.

    Raises:
        ConfigError: a folder is not there or outside of the root; or the port is taken.
    """
    shelf = Shelf(Root(root, runs))
    local = is_loopback(host)
    if not local and not token:
        token = secrets.token_urlsafe(18)
    _demand_free(host, port)
    first = _first_page(shelf, runs)
    place = f"{first}{'&' if '?' in first else '?'}token={token}" if token else first
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    print(f"The studio shows {shelf.root.folder} at http://{name}:{port}{place}", flush=True)
    app.add_static_files("/studio", STATIC)
    app.add_middleware(Guard, token=token, local=local)
    _pages(shelf)
    _files(shelf)
    ui.run(
        host=host,
        port=port,
        title="ethogram studio",
        show=place if show else False,
        reload=False,
        tailwind=False,
        show_welcome_message=False,
        storage_secret=None,
        reconnect_timeout=10.0,
        favicon="🐾",
    )


def _demand_free(host: str, port: int) -> None:
    """ConfigError where nothing can be bound to this address."""
    import socket

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ConfigError(f"the studio cannot be bound to {host}:{port} ({error.strerror}): choose another --port") from None


def _first_page(shelf: Shelf, runs: Sequence[Path]) -> str:
    """The page of the run, where one is given; else the list."""
    from ethogram.studio.runs import address

    if len(runs) == 1 and (runs[0] / "manifest.json").is_file():
        return address(shelf.root.name(runs[0].resolve()))
    return "/"


def _pages(shelf: Shelf) -> None:
    records, office, tables = Records(), Office(), Tables()
    app.on_shutdown(office.close)

    @ui.page("/")
    def _list() -> None:
        _dress("Runs")
        with ui.element("header").classes("studio"):
            ui.html(html("<h1>ethogram studio</h1>"))
            ui.html(html("{}", str(shelf.root.folder))).classes("facts")
            if shelf.root.shown == [shelf.root.folder]:
                ui.html(html('<a href="/play">Take a seat</a>'))
        with ui.element("main").classes("studio").style("display: grid; gap: 1rem"):
            build_list(shelf)

    @ui.page("/run")
    def _run(request: Request, path: str = "") -> None:
        _dress(path)
        try:
            record = records.open(shelf.root.open(path))
        except EthogramError as error:
            _sorry(error)
            return
        build_run(record, path, request.query_params, shelf.root, office, tables)

    @ui.page("/compare")
    def _compare(request: Request, a: str = "", b: str = "") -> None:
        _dress("Two runs")
        try:
            pair = [(name, records.open(shelf.root.open(name))) for name in (a, b) if name]
        except EthogramError as error:
            _sorry(error)
            return
        build_comparison(pair, shelf, request.query_params)

    if shelf.root.shown == [shelf.root.folder]:  # else the record of a game would not be among what is shown

        @ui.page("/play")
        def _play() -> None:
            _dress("Play")
            with ui.element("header").classes("studio"):
                ui.html(html('<a href="/">All runs</a>'))
                ui.html("<h1>Play</h1>")
            with ui.element("main").classes("studio"):
                build_choice(tables, shelf.root)

    @ui.page("/study")
    def _study(path: str = "") -> None:
        _dress(path)
        try:
            build_study(shelf.root.open(path, "study.json"), path, shelf.root)
        except EthogramError as error:
            _sorry(error)

    @ui.page("/card")
    def _card(path: str = "") -> None:
        _dress(path)
        try:
            build_card(shelf.root.open(path, "ways.csv"), path)
        except EthogramError as error:
            _sorry(error)


def _dress(title: str) -> None:
    """What every page has in its head."""
    ui.colors(primary="#24577e")
    ui.page_title(f"{title} · ethogram studio")
    scripts = "".join(f'<script src="/studio/{name}.js"></script>' for name in ("stage", "figures"))
    ui.add_head_html(f'<link rel="stylesheet" href="/studio/studio.css">{scripts}')


def _sorry(error: EthogramError) -> None:
    with ui.element("main").classes("studio"):
        ui.html(html('<p class=error role=alert>{}</p><p><a href="/">All runs</a></p>', str(error)))


def _files(shelf: Shelf) -> None:
    """What is taken away as files. A figure is never opened as a page, where scripts in it could run."""
    safe = {"Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"}

    @app.get("/figure")
    def _figure(path: str, name: str) -> Response:
        try:
            svg = figure_of(shelf.root.open(path, "study.json"), name)
        except EthogramError as error:
            return PlainTextResponse(str(error), 404)
        head = {**safe, "Content-Disposition": f'attachment; filename="{name}.svg"'}
        return Response(svg, media_type="image/svg+xml", headers=head)

    @app.get("/card-figure")
    def _card_figure(path: str, way: str, figure: str) -> Response:
        try:
            svg = card_figure(shelf.root.open(path, "ways.csv"), way, figure)
        except EthogramError as error:
            return PlainTextResponse(str(error), 404)
        head = {**safe, "Content-Disposition": f'attachment; filename="{figure}.svg"'}
        return Response(svg, media_type="image/svg+xml", headers=head)

    @app.get("/report")
    def _report(path: str) -> Response:
        try:
            page = report_of(shelf.root.open(path, "study.json"))
        except EthogramError as error:
            return PlainTextResponse(str(error), 404)
        return HTMLResponse(page, headers={**safe, "Content-Disposition": 'attachment; filename="report.html"'})
