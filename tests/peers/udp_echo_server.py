"""UDP echo server: sends every datagram back, for ever."""

import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("localhost", 0))
print("PORT", sock.getsockname()[1], flush=True)

while True:
    data, address = sock.recvfrom(4096)
    print("received %s bytes from %s" % (len(data), address), flush=True)
    if data:
        sent = sock.sendto(data, address)
        print("sent %s bytes back to %s" % (sent, address), flush=True)
