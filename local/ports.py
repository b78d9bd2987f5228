"""Free ports on 127.0.0.1 that stay free until their server listens, and how their servers are asked."""

import os
import socket
import urllib.request

HOST = "127.0.0.1"
# Never through a proxy, whatever http_proxy says.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def forget_proxies() -> None:
    """Let no library of this process ask a proxy for what is on this machine.

    NO_PROXY would not do: httplib2 without its proxy support refuses every request where http_proxy is set.
    """
    for name in PROXY_VARIABLES:
        os.environ.pop(name, None)


def is_free(port: int) -> bool:
    """Whether nobody listens on the port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def reserve_port() -> int:
    """A free port that the kernel gives to nobody else for the next minute.

    A connection that the listening side closes leaves the port in TIME_WAIT: no other socket is given it
    by chance, while a server that sets SO_REUSEADDR, as all of ours do, may listen on it. So several local
    systems can start at the same instant. The way of https://github.com/Yelp/ephemeral-port-reserve.
    """
    with socket.socket() as listener, socket.socket() as client:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, 0))
        listener.listen(1)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        accepted.close()
        return int(listener.getsockname()[1])
