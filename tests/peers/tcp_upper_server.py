"""TCP server that answers each client once, in capitals, and takes the next, for ever."""

import sys
from socket import AF_INET, SOCK_STREAM, socket

serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(("", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
serverSocket.listen(1)
print("PORT", serverSocket.getsockname()[1], flush=True)
while True:
    connectionSocket, addr = serverSocket.accept()
    sentence = connectionSocket.recv(1024).decode()
    connectionSocket.send(sentence.upper().encode())
    connectionSocket.close()
