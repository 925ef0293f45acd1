"""UDP server that sends each datagram back in capitals, for ever."""

import sys
from socket import AF_INET, SOCK_DGRAM, socket

serverSocket = socket(AF_INET, SOCK_DGRAM)
serverSocket.bind(("", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
print("PORT", serverSocket.getsockname()[1], flush=True)
while True:
    message, clientAddress = serverSocket.recvfrom(2048)
    serverSocket.sendto(message.decode().upper().encode(), clientAddress)
