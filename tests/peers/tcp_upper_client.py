"""TCP client: sends one line without its newline, prints the answer. Arguments: HOST PORT TEXT."""

import sys
from socket import AF_INET, SOCK_STREAM, socket

serverName, serverPort, sentence = sys.argv[1], int(sys.argv[2]), sys.argv[3]
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect((serverName, serverPort))
clientSocket.send(sentence.encode())
modifiedSentence = clientSocket.recv(1024)
print("From server:", modifiedSentence.decode(), flush=True)
clientSocket.close()
