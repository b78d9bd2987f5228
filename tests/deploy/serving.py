"""The shims without a Python process for each call: a server in the test's process, and clients in plain bash.

A hundred deployments, one stopped after each of its changes, make thousands of calls.
"""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.cloud import Cloud
from tests.deploy.played.call import play

# Sends where it was typed, its name, its arguments and its input, each ended by a zero byte; gets exit code, output and
# errors alike.
_CLIENT = r"""#!/bin/bash
text=''
[[ -t 0 ]] || IFS= read -rd '' text
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\0' $(($# + 3)) "$PWD" "${{0##*/}}" "$@" "$text" >&3
IFS= read -rd '' code <&3 && IFS= read -rd '' out <&3 && IFS= read -rd '' errors <&3
printf %s "$out"
printf %s "$errors" >&2
exit "$code"
"""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        count = int(self._field())
        here, *argv, text = [self._field() for _ in range(count)]
        answer = play(self.server.folder, argv, text, Path(here))  # type: ignore[attr-defined]
        self.wfile.write(b"".join(str(each).encode() + b"\0" for each in answer))

    def _field(self) -> str:
        read = bytearray()
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            read += byte
        return read.decode()


@contextmanager
def served(folder: Path, **options: Any) -> Iterator[Cloud]:
    """A played project whose `gcloud` and `bq` are answered by this process."""
    cloud = Cloud(folder, **options)
    with socketserver.TCPServer(("127.0.0.1", 0), _Handler) as server:
        server.folder = folder  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        for name in ("gcloud", "bq", "curl"):
            client = cloud.bin / name
            client.unlink()
            client.write_text(_CLIENT.format(port=server.server_address[1]))
            client.chmod(0o755)
        try:
            yield cloud
        finally:
            server.shutdown()
