"""Free ports that stay free until their server listens."""

import socket

from local.ports import HOST, reserve_port


def test_a_server_can_listen_on_a_reserved_port() -> None:
    port = reserve_port()
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        server.listen()
        with socket.create_connection((HOST, port), timeout=1):
            pass


def test_no_reserved_port_is_given_twice() -> None:
    ports = [reserve_port() for _ in range(300)]
    assert len(set(ports)) == len(ports)


def test_a_reserved_port_is_given_to_no_other_socket() -> None:
    reserved = {reserve_port() for _ in range(50)}
    given = set()
    for _ in range(300):
        with socket.socket() as other:
            other.bind((HOST, 0))
            given.add(other.getsockname()[1])
    assert not reserved & given
