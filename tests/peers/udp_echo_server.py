"""UDP echo server: sends every datagram back, for ever."""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("localhost", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
print("PORT", sock.getsockname()[1], flush=True)

while True:
    data, address = sock.recvfrom(4096)
    print("received %s bytes from %s" % (len(data), address), flush=True)
    if data:
        sent = sock.sendto(data, address)
        print("sent %s bytes back to %s" % (sent, address), flush=True)
