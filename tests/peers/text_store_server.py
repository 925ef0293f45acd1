"""Keeps one text. Over one connection a client asks for it, replaces it, and closes.

One request a line: `READ` is answered with the text, `UPDATE text` with `OK`, and `CLOSE` with
`BYE`, after which both ends close. The next client finds the text as the last one left it.
"""

import socket
import sys

text = "empty"

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
server.listen()
print("PORT", server.getsockname()[1], flush=True)
while True:
    conn, addr = server.accept()
    with conn, conn.makefile("r", encoding="utf-8", newline="\n") as requests:
        for line in requests:
            request, _, argument = line.rstrip("\r\n").partition(" ")
            if request == "READ":
                answer = text
            elif request == "UPDATE":
                text = argument
                answer = "OK"
            elif request == "CLOSE":
                answer = "BYE"
            else:
                answer = "what is " + request + "?"
            conn.sendall((answer + "\n").encode())
            if request == "CLOSE":
                break
