"""Multicast groups, broadcast and several addresses, in a network namespace of its own: the peers of
tests/regressions/udp.rs. Usage: groups.py RNC TEST. Prints OK, or what was seen instead."""

import os
import socket
import subprocess
import sys
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
    threading.Timer(DEADLINE, child.kill).start()
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
