"""UDP server that sends each datagram back in capitals, for ever."""

from socket import AF_INET, SOCK_DGRAM, socket

serverSocket = socket(AF_INET, SOCK_DGRAM)
serverSocket.bind(("", 0))
print("PORT", serverSocket.getsockname()[1], flush=True)
while True:
    message, clientAddress = serverSocket.recvfrom(2048)
    serverSocket.sendto(message.decode().upper().encode(), clientAddress)
