"""TCP echo server: serves one client until that client ends, then leaves."""

import socket
import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 0

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.bind((HOST, PORT))
    s.listen()
    print("PORT", s.getsockname()[1], flush=True)
    conn, addr = s.accept()
    with conn:
        print("Connected by", addr, flush=True)
        while True:
            data = conn.recv(1024)
            if not data:
                break
            conn.sendall(data)
