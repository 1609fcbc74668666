"""A sender of HL7 messages over MLLP, written from the standard alone: VT message FS CR, one answer for
each message, in order. Standard library only.

    python3 tests/independent/mllp.py HOST PORT [--ahead N] < messages

Messages stand one a line, segments separated by a tab. Each answer becomes a line: MSA-1, MSA-2.
`--ahead` sends so many messages before it reads the first answer.
"""

from __future__ import annotations

import argparse
import socket
import sys

START, END = b"\x0b", b"\x1c\r"


def answers(connection: socket.socket):
    """Every framed answer, as (MSA-1, MSA-2)."""
    rest = b""
    while piece := connection.recv(65536):
        rest += piece
        while END in rest:
            frame, rest = rest.split(END, 1)
            if not frame.startswith(START):
                raise ValueError("an answer without its first byte")
            segments = [line.split(b"|") for line in frame[1:].split(b"\r") if line]
            names = [segment[0] for segment in segments]
            if names[:2] != [b"MSH", b"MSA"] or not frame.endswith(b"\r"):
                raise ValueError(f"not an acknowledgement: {names}")
            yield segments[1][1].decode("ascii"), segments[1][2].decode("ascii")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--ahead", type=int, default=1)
    options = parser.parse_args()
    messages = [line.rstrip("\n").replace("\t", "\r") + "\r" for line in sys.stdin]
    with socket.create_connection((options.host, options.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told = answers(connection)
        sent = 0
        for number, _ in enumerate(messages):
            while sent < len(messages) and sent < number + options.ahead:
                connection.sendall(START + messages[sent].encode("utf-8") + END)
                sent += 1
            print(*next(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
