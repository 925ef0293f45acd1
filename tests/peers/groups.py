"""Multicast groups, broadcast and several addresses, in a network namespace of its own: the peers of
tests/regressions/udp.rs. Usage: groups.py RNC TEST. Prints OK, or what was seen instead."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

RNC, TEST = sys.argv[1], sys.argv[2]
DEADLINE = 20
FIRST, SECOND = "239.77.0.1", "239.77.0.2"
FIRST_V6, SECOND_V6 = "ff02::7701", "ff02::7702"

SETUP = """
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 10.77.0.1/24 brd + dev v0
ip addr add fd77::1/64 dev v0 nodad
ip addr add fd77::2/64 dev v0 nodad
ip addr add fe80::77/64 dev v0 nodad
ip link set v0 up
ip link set v1 up
ip route add 239.0.0.0/8 dev v0
ip -6 route add ff00::/8 dev v0 table local
until ip -6 route show table local | grep -q fe80::77; do sleep 0.02; done
"""


def rnc(words, **pipes):
    """Starts rnc; `port` is where it is bound, once it says so."""
    command = [RNC] + words.split()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes
    child = subprocess.Popen(command, **pipes)
    limit = threading.Timer(DEADLINE, child.kill)
    limit.daemon = True
    limit.start()
    return child


def bound(words, **pipes):
    child = rnc(words, **pipes)
    line = child.stderr.readline().decode()
    if " on " not in line:
        sys.exit(f"{words}: {line}")
    child.port = int(line.split()[-1])
    return child


def udp(family=socket.AF_INET):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(DEADLINE)
    return sock


def sender(group):
    if ":" in group:
        sock = udp(socket.AF_INET6)
        sock.setsockopt(41, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("v0"))
    else:
        sock = udp()
        sock.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton("10.77.0.1"))
    return sock


def member(group, port=0, options=()):
    """A socket that is in a group, bound to all addresses."""
    six = ":" in group
    sock = udp(socket.AF_INET6 if six else socket.AF_INET)
    for option in options:
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
    sock.bind(("::" if six else "0.0.0.0", port))
    index = socket.if_nametoindex("v0")
    if six:
        mreq = socket.inet_pton(socket.AF_INET6, group) + index.to_bytes(4, sys.byteorder)
        sock.setsockopt(41, socket.IPV6_JOIN_GROUP, mreq)
    else:
        mreq = socket.inet_aton(group) + socket.inet_aton("10.77.0.1")
        sock.setsockopt(0, socket.IP_ADD_MEMBERSHIP, mreq)
    return sock


def expect(seen, wanted, of):
    if seen != wanted:
        sys.exit(f"{of}: {seen!r}, not {wanted!r}")


def shared():
    """A port is shared with all kinds of members."""
    for options in ([socket.SO_REUSEADDR], [socket.SO_REUSEPORT], [socket.SO_REUSEADDR, socket.SO_REUSEPORT]):
        other = member(FIRST, 0, options)
        port = other.getsockname()[1]
        listeners = [rnc(f"-luv4 -d -W 1 --join {FIRST}@v0 {port}") for _ in range(2)]
        for listener in listeners:
            expect(listener.stderr.readline()[:8], b"Bound on", f"{options}")
        sender(FIRST).sendto(b"to all", (FIRST, port))
        for listener in listeners:
            expect(listener.communicate()[0], b"to all", f"{options}")
        expect(other.recv(100), b"to all", "the other member")
        rnc(f"-u -q 0 -p {port} {FIRST} {port}").communicate(b"from the port")
        expect(other.recvfrom(100), (b"from the port", ("10.77.0.1", port)), f"{options}")


def others():
    """Datagrams to groups that only others have joined do not come in."""
    for options, mine, other in (
        ("-lu", FIRST, SECOND),
        ("-lu4", FIRST, SECOND),
        ("--as nc -luv", FIRST, SECOND),
        ("-lu", FIRST_V6, SECOND_V6),
    ):
        listener = bound(f"{options} -W 1 --join {mine}%v0 0", stdin=subprocess.DEVNULL)
        joined = member(other, 0)
        sock = sender(mine)
        sock.sendto(b"not mine", (other, listener.port))
        sock.sendto(b"mine", (mine, listener.port))
        expect(listener.communicate()[0], b"mine", options)
        joined.close()


def ttl():
    """-M and --multicast-loop reach groups."""
    for group, to in ((FIRST, FIRST), (FIRST_V6, FIRST_V6 + "%v0")):
        six = ":" in group
        server = member(group)
        level, ask, kind = (41, socket.IPV6_RECVHOPLIMIT, socket.IPV6_HOPLIMIT) if six else (0, 12, socket.IP_TTL)
        server.setsockopt(level, ask, 1)
        port = server.getsockname()[1]
        for options, ours in (("-M 9", 9), ("-M 9 --multicast-loop yes", 9), ("", 1)):
            child = rnc(f"-u -q 0 {options} {to} {port}")
            child.communicate(b"hi")
            data, control, _, _ = server.recvmsg(100, 100)
            seen = [int.from_bytes(value, sys.byteorder) for _, found, value in control if found == kind]
            expect((data, seen), (b"hi", [ours]), f"{options} {to}")
        child = rnc(f"-u -q 0 --multicast-loop no {to} {port}")
        child.communicate(b"not looped")
        rnc(f"-u -q 0 {to} {port}").communicate(b"looped")
        expect(server.recv(100), b"looped", to)
    # Another address is answered from in a dual-stack socket, with the TTL of the option.
    server = member(FIRST)
    server.setsockopt(0, 12, 1)
    rnc(f"-6 -u -q 0 -M 9 ::ffff:{FIRST} {server.getsockname()[1]}").communicate(b"mapped")
    data, control, _, _ = server.recvmsg(100, 100)
    seen = [int.from_bytes(value, sys.byteorder) for _, found, value in control if found == socket.IP_TTL]
    expect((data, seen), (b"mapped", [9]), "mapped")


def answers():
    """A client of many hears all of them, and shows who they are."""
    server = member(FIRST)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    six = member(FIRST_V6)
    for sock, options, to in (
        (server, "", FIRST),
        (server, "--as nc -q 1", FIRST),
        (server, "-b", "10.77.0.255"),
        (six, "", FIRST_V6 + "%v0"),
    ):
        port = sock.getsockname()[1]
        host = "fd77::1" if sock is six else "10.77.0.1"
        child = rnc(f"-uv -W 2 {options} --tag {to} {port}")
        child.stdin.write(b"who is there?")
        child.stdin.flush()
        asked = b""
        while asked != b"who is there?":  # As nc, -v sends datagrams of its own.
            asked, client = sock.recvfrom(100)
        lines, told = b"", b""
        for word in (b"one", b"two\nlines"):
            other = udp(sock.family)
            other.bind((host, 0))
            other.sendto(word, client)
            own = other.getsockname()
            own = f"[{host}]:{own[1]}" if sock is six else f"{host}:{own[1]}"
            for line in word.split(b"\n"):
                lines += f"[{own}] ".encode() + line + b"\n"
            told += f"Answer from {host} {other.getsockname()[1]}\n".encode()
        out, err = child.communicate()
        expect(out, lines, f"{options} {to}: {err}")
        expect(told in err, True, f"{options} {to}: {err}")
    # A broadcast address has to be allowed, and -b alone makes no group of a host.
    child = rnc("-u 10.77.0.255 9")
    expect("(a broadcast address needs -b)" in child.communicate()[1].decode(), True, "hint")
    server = udp()
    server.bind(("10.77.0.1", 0))
    child = rnc(f"-ub -q 0 10.77.0.1 {server.getsockname()[1]}")
    child.stdin.write(b"connected")
    child.stdin.flush()
    _, client = server.recvfrom(100)
    udp().sendto(b"a stranger", client)
    server.sendto(b"the host", client)
    expect(child.communicate()[0], b"the host", "-b and a host")


def unreachable():
    """A group there is no way to is an error, as any address is."""
    child = rnc("-u 224.0.0.5 9")
    _, err = child.communicate(b"x")
    expect((child.returncode, b"Network is unreachable" in err), (1, True), err)


def asked():
    """Answers leave from the IPv6 address that was asked, and from ours where it was a broadcast."""
    listener = bound("-lu --echo 0")
    for host in ("fd77::1", "fd77::2", "::1", "10.77.0.1", "fe80::77%v0"):
        sock = udp(socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock.connect(socket.getaddrinfo(host, listener.port)[0][4])
        sock.send(b"who?")
        expect(sock.recv(100), b"who?", host)
    for host in ("10.77.0.255", FIRST):
        sock = udp()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        joined = member(FIRST)
        sock.sendto(b"all?", (host, listener.port))
        if host != FIRST:
            expect(sock.recvfrom(100), (b"all?", ("10.77.0.1", listener.port)), host)
        joined.close()
    listener.kill()


def forge(source, to, port, data):
    """Sends a datagram from a port and to the same one."""
    header = struct.pack("!4H", port, port, 8 + len(data), 0) + data
    if ":" in to:
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP)
        raw.setsockopt(41, socket.IPV6_CHECKSUM, 6)
        raw.bind((source, 0))
    else:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        ends = socket.inet_aton(source) + socket.inet_aton(to)
        # Length and checksum are the kernel's to fill in.
        header = struct.pack("!2B3H2BH", 0x45, 0, 0, 1, 0, 64, socket.IPPROTO_UDP, 0) + ends + header
    raw.sendto(header, (to, 0))


def same_port():
    """A peer with the listener's port number is heard, even where any address can be bound to."""
    for family in ("ipv4", "ipv6"):
        with open(f"/proc/sys/net/{family}/ip_nonlocal_bind", "w") as setting:
            setting.write("1")
    for own, peer in (("10.77.0.1", "10.77.0.9"), ("fd77::1", "fd77::9")):
        listener = bound("-lu -W 1 0", stdin=subprocess.DEVNULL)
        forge(own, own, listener.port, b"ourselves")
        forge(peer, own, listener.port, b"peer")
        expect(listener.communicate()[0], b"peer", peer)


def vanished():
    """Where the address that was asked is gone, answers leave from another one."""
    lines = bound("-lu 0")
    peer = udp()
    peer.bind(("127.0.0.1", 0))
    peer.sendto(b"hello", ("10.77.0.1", lines.port))
    expect(lines.stdout.read(5), b"hello", "the datagram")
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(f"{folder}/late")
        program = bound(f"-lu -v --allow 127.0.0.1 -c cat<{folder}/late 0")
        peer.sendto(b"hello", ("10.77.0.1", program.port))
        while b"Connection received" not in program.stderr.readline():
            pass
        subprocess.run("ip addr del 10.77.0.1/24 dev v0".split(), check=True)
        lines.stdin.write(b"from elsewhere")
        lines.stdin.flush()
        expect(peer.recv(100), b"from elsewhere", "standard input")
        with open(f"{folder}/late", "wb") as late:
            late.write(b"of a program")
        expect(peer.recv(100), b"of a program", "-c")
    lines.kill()
    program.kill()


def zones():
    """A link-local address may come in at its interface, and needs one."""
    for rules, wanted in (
        ("--allow fe80::77%v0", b"heard"),
        ("--allow fe80::%v0/64", b"heard"),
        ("--allow fe80::77%v1", b""),
        ("--allow fe80::77%lo --allow ::1", b""),
        ("--deny fe80::77%v0", b""),
        ("--deny fe80::77%v1", b"heard"),
        ("--allow fe80::77", b"heard"),
    ):
        for options in ("-l", "-lu -W 1"):
            listener = bound(f"{options} -k {rules} 0", stdin=subprocess.DEVNULL)
            words = f"{options[1:].replace('l', '-').split()[0]} fe80::77%v0 {listener.port}"
            client = rnc(words.replace("- ", " ").replace("-u", "-u -q 0"))
            client.communicate(b"heard")
            if wanted:
                expect(listener.stdout.read(5), wanted, f"{options} {rules}")
            else:
                # What comes from elsewhere afterwards is all that is heard, or nothing is.
                listener.terminate()
                expect(listener.communicate()[0], wanted, f"{options} {rules}")
            listener.kill()
    for words in ("fe80::77 9", "-u fe80::77 9", "-u ff02::1 9", "-l fe80::77 0"):
        _, err = rnc(words).communicate()
        expect(b"(a link-local address needs %interface)" in err, True, f"{words}: {err}")
    _, err = rnc("-l --allow fe80::77%no-such0 0").communicate()
    expect(b"no interface named no-such0" in err, True, err)


if subprocess.run(["sh", "-ec", SETUP]).returncode != 0:
    sys.exit("cannot make the network")
globals()[TEST]()
print("OK", flush=True)
os._exit(0)
