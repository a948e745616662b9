"""A smart HTTP Git server of its own process: ``git http-backend`` behind the standard library.

Run as a program: ``git_http_server.py ROOT [--certificate PEM] [--token T] [--misbehave HOW]
[--log FILE]``. It prints its port on the first line; the file gets a line for each request.
``--misbehave`` makes it the server nobody wants:

``hang``         accepts, then says nothing
``drip``         sends the list of references one byte at a time, for ever
``flood``        sends references without end
``stall``        stops in the middle of the pack
``stall-both``   the same, if more than one branch was asked for
``banner``       sends references, then an error text of its own choice
``wrong-commit`` advertises a commit that it does not have
"""

import argparse
import base64
import os
import ssl
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """One request; its server carries the options."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._log()
        if self._refused():
            return
        misbehave = self.server.options.misbehave
        if misbehave in ("hang", "drip", "flood", "banner", "wrong-commit"):
            getattr(self, "_" + misbehave.replace("-", "_"))()
            return
        self._backend(b"")

    def do_POST(self):
        self._log()
        if not self._refused():
            self._backend(self._body())

    def _log(self):
        if self.server.options.log:
            with Path(self.server.options.log).open("a") as file:
                file.write(f"{self.command} {self.path}\n")

    def _refused(self):
        token = self.server.options.token
        if token is None:
            return False
        expected = "Basic " + base64.b64encode(f"git:{token}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            return False
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _backend(self, body):
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.server.options.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        command = ["git", "http-backend"]
        done = subprocess.run(command, input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        both = body.count(b"want ") > 1
        stall = {"stall": True, "stall-both": both}.get(self.server.options.misbehave, False)
        if self.command == "POST" and stall:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            time.sleep(3600)
        self.wfile.write(content)

    def _start(self):
        """Begin the advertisement that was asked for; returns its first lines."""
        service = self.path.rpartition("service=")[2]
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-{service}-advertisement")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        return _line(f"# service={service}\n".encode()) + b"0000"

    def _chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _hang(self):
        time.sleep(3600)

    def _drip(self):
        for byte in self._start() + b"fff0" + b"1" * 60_000:
            self._chunk(bytes([byte]))
            time.sleep(0.02)

    def _flood(self):
        self._chunk(self._start() + _line(b"1" * 40 + b" HEAD\0side-band-64k ofs-delta\n"))
        number = 0
        while True:
            refs = (b"1" * 40 + b" refs/heads/%020d\n" % n for n in range(number, number + 1000))
            self._chunk(b"".join(map(_line, refs)))
            number += 1000

    def _banner(self):
        self._chunk(self._start() + _line(b"ERR \x1b[31mJane Patient called\x1b[0m " + b"x" * 900))
        self._chunk(b"")

    def _wrong_commit(self):
        head = self._start()
        line = _line(b"1" * 40 + b" refs/heads/main\0side-band-64k ofs-delta\n")
        self._chunk(head + line + b"0000")
        self._chunk(b"")


def _line(data):
    return b"%04x" % (len(data) + 4) + data


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--certificate")
    parser.add_argument("--token")
    parser.add_argument("--misbehave")
    parser.add_argument("--log")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.options = parser.parse_args()
    if server.options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
