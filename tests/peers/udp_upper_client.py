"""UDP client: sends one datagram, prints the one answer. Arguments: HOST PORT TEXT."""

import sys
from socket import AF_INET, SOCK_DGRAM, socket

serverName, serverPort, message = sys.argv[1], int(sys.argv[2]), sys.argv[3]
clientSocket = socket(AF_INET, SOCK_DGRAM)
clientSocket.sendto(message.encode(), (serverName, serverPort))
modifiedMessage, serverAddress = clientSocket.recvfrom(2048)
print(modifiedMessage.decode(), flush=True)
clientSocket.close()
