"""UDP echo client: sends one message, waits for it to come back. Arguments: HOST PORT."""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server_address = (sys.argv[1], int(sys.argv[2]))
message = b"This is the message. It will be repeated to me."

try:
    print("sending {!r}".format(message), flush=True)
    sock.sendto(message, server_address)
    data, server = sock.recvfrom(4096)
    print("received {!r}".format(data), flush=True)
finally:
    sock.close()
