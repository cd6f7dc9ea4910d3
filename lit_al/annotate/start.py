"""Start the page: the run, its owner's lock, a port, links, the trainer beside it, and an orderly end.

Ctrl-C and SIGTERM say what is saved, let open requests finish, give leased texts free and end the trainer; a second one
waits for nothing. Labels need no ending: each was committed before it was acknowledged.
"""

import errno
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from lit_al.annotate.app import make_app
from lit_al.annotate.background import training
from lit_al.annotate.connections import QUEUE, Server, raise_limit
from lit_al.annotate.names import annotators_of, check_annotators
from lit_al.annotate.parting import parting
from lit_al.annotate.project import corpus_of, make_folder, open_project
from lit_al.annotate.project_options import AnnotateOptions
from lit_al.annotate.security import LOOPBACK
from lit_al.annotate.service import LabelingService
from lit_al.exceptions import ConfigError, RunError
from lit_al.record import OwnerLock
from lit_al.utils.signals import ending
from lit_al.utils.terminal_text import say as tell

OWNER = "lit-al annotate"  # what holds a run, for whoever finds it held
PORTS_TRIED = 50
_ANYWHERE = ("0.0.0.0", "::")

Say = Callable[[str], object]


def annotate(options: AnnotateOptions, say: Say = tell) -> None:
    """Serve the page until it is interrupted.

    Raises:
        LitALError: it cannot begin; the sentence says why.
        KeyboardInterrupt: ended by Ctrl-C.
        SystemExit: ended by SIGTERM, with code 143.
    """
    check_serving(options)
    signal.signal(signal.SIGTERM, _terminated)
    corpus = corpus_of(options)  # before there is a folder, so that a typo leaves none behind
    folder = make_folder(options)
    with ending() as begin_to_end, OwnerLock(folder, OWNER), open_project(options, folder, corpus) as project:
        names = annotators_of(project.record, options.annotators)
        links = {name: project.record.add_annotator(name) for name in names}
        service = LabelingService(project.record, project.name, owner=names[0], training=options.training)
        with listening(options) as listener, training(project.folder, project.record, wanted=options.training):
            for note in project.notes:
                say(note)
            addresses = _announce(listener, options, links, say)
            if options.browser and _has_screen():
                webbrowser.open(addresses[0])

            def part() -> None:
                for line in parting(project.record, project.folder):
                    say(line)

            try:
                _serve(make_app(service, hosts_of(options)), listener, part)
            finally:
                begin_to_end()
                service.release()


def check_serving(options: AnnotateOptions) -> None:
    """Refuse what would let strangers in.

    Raises:
        ConfigError: another host than this machine's own without names of annotators, or names that cannot be used.
    """
    check_annotators(options.annotators)
    if options.host not in LOOPBACK and not options.annotators:
        raise ConfigError(
            f"--host {options.host} lets other machines in; say who may come, as in --annotators ann,bob, and give "
            "each their own link"
        )


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


# --- The port ---------------------------------------------------------------------------------------------------------


@contextmanager
def listening(options: AnnotateOptions) -> Iterator[socket.socket]:
    """A socket at the port, or at the next free one.

    Raises:
        RunError: there is none.
    """
    listener = _bind(options.host, options.port)
    try:
        yield listener
    finally:
        listener.close()


def _bind(host: str, port: int) -> socket.socket:
    for tried in range(port, min(port + PORTS_TRIED, 65_536) if port else 1):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, tried, type=socket.SOCK_STREAM)[0]
            listener = socket.create_server(address[:2], family=family, backlog=QUEUE)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else answers wait 40 ms for an ACK
            return listener
        except socket.gaierror:
            raise ConfigError(f"--host {host} is not an address of this machine; take 127.0.0.1") from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and host == AnnotateOptions.host:
                return _bind("::1", port)  # a machine whose own address is of the new kind alone
            if error.errno != errno.EADDRINUSE:
                raise RunError(f"cannot listen at {host}, port {tried}: {error.strerror or error}") from None
    raise RunError(f"ports {port} to {port + PORTS_TRIED - 1} are all taken; give another --port")


def hosts_of(options: AnnotateOptions) -> set[str]:
    """Names that the server answers to."""
    names = {*LOOPBACK, *options.allow_host}
    if options.host in _ANYWHERE:
        return {*names, _outer_address(), socket.gethostname()}
    return {*names, options.host}


def _outer_address() -> str:
    """The address that others reach this machine at; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def _announce(listener: socket.socket, options: AnnotateOptions, tokens: dict[str, str], say: Say) -> list[str]:
    """Say where to go; the addresses, in the order of the annotators."""
    host, port = listener.getsockname()[:2]
    if options.port and port != options.port:
        say(f"port {options.port} is taken; {port} is used instead")
    shown = _outer_address() if host in _ANYWHERE else host
    shown = f"[{shown}]" if ":" in shown else shown
    addresses = {name: f"http://{shown}:{port}/?token={token}" for name, token in tokens.items()}
    for name, address in addresses.items():
        say(f"open {address}" + (f"  ({name})" if len(addresses) > 1 else ""))
    if options.host not in LOOPBACK:
        say("these links travel unencrypted: use them in a network that you trust, or through an ssh tunnel")
    say("Ctrl-C ends; the same command goes on")
    return list(addresses.values())


def _has_screen() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ))


def _serve(app: Any, listener: socket.socket, on_end: Callable[[], object]) -> None:
    """Until a signal; access logs stay off, as they would hold tokens."""
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    raise_limit()
    Server(config, on_end).run(sockets=[listener])
