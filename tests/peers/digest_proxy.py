"""HTTP proxy that lets in who proves to know the password of Mufasa, by Digest (RFC 7616), and then
answers the tunnel in capitals itself.

Arguments: the algorithm; "keep" or "close", for the connection behind a refusal; and "stale" to
refuse the first proof for its old nonce. It prints a line for each connection and each request.
"""

import hashlib
import re
import sys
from socket import AF_INET, SOCK_STREAM, socket

algorithm, after, stale = (sys.argv[1:] + [""])[:3]
REALM, USER, PASSWORD = "a \"realm\", with commas", "Mufasa", "Circle of Life"


def digest(text):
    name = "md5" if algorithm.upper().startswith("MD5") else "sha256"
    return hashlib.new(name, text.encode()).hexdigest()


def is_right(field, uri, nonce):
    scheme, rest = field.split(" ", 1)
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', rest)
    said = {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}
    a1 = digest(f"{USER}:{REALM}:{PASSWORD}")
    if algorithm.lower().endswith("-sess"):
        a1 = digest(f"{a1}:{nonce}:{said['cnonce']}")
    a2 = digest(f"CONNECT:{uri}")
    wanted = digest(f"{a1}:{nonce}:{said['nc']}:{said['cnonce']}:auth:{a2}")
    same = {"username": USER, "realm": REALM, "nonce": nonce, "uri": uri, "qop": "auth",
            "nc": "00000001", "opaque": "o\"o", "algorithm": algorithm, "response": wanted}
    wrong = [name for name, value in same.items() if said.get(name) != value]
    print("wrong:" if wrong else "right", *wrong, flush=True)
    return scheme == "Digest" and not wrong


listener = socket(AF_INET, SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen()
print("PORT", listener.getsockname()[1], flush=True)
nonces = 1
while True:
    client, _ = listener.accept()
    print("connection", flush=True)
    stream = client.makefile("rwb")
    while request := stream.readline().decode():
        fields = {}
        while line := stream.readline().decode().strip():
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        print("request", "with" if "proxy-authorization" in fields else "without", flush=True)
        uri, proof = request.split()[1], fields.get("proxy-authorization")
        is_stale = bool(proof) and stale == "stale"
        if proof and is_right(proof, uri, f"nonce{nonces}") and not is_stale:
            stream.write(b"HTTP/1.1 200 Go ahead\r\n\r\n")
            stream.flush()
            while data := stream.readline():
                stream.write(data.upper())
                stream.flush()
            break
        if is_stale:
            stale = ""
        nonces += 1
        realm = REALM.replace('"', '\\"')
        body = b"Who are you?\r\n\r\n" * 100
        stream.write(
            f"HTTP/1.1 407 Say who you are\r\n"
            f'Proxy-Authenticate: Basic realm="{realm}"\r\n'
            f'Proxy-Authenticate: NTLM, Digest realm="{realm}", qop="auth, auth-int",\r\n'
            f'  nonce="nonce{nonces}", opaque="o\\"o", algorithm={algorithm}, stale={is_stale}\r\n'
            f"Content-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if after == 'keep' else 'close'}\r\n\r\n".encode()
            + body
        )
        stream.flush()
        if after != "keep":
            break
    stream.close()
    client.close()
