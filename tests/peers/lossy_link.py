"""A link that loses and reorders packets, between two network namespaces.

Arguments: NAMESPACE_A ADDRESS_A NAMESPACE_B ADDRESS_B LOSS_PERCENT REORDER_PERCENT SEED

Makes a TUN device in each namespace, joins their ends, and prints READY. A packet is dropped with
the first probability; with the second it is held back for a few milliseconds, so that later ones
overtake it. Leaves when its stdin ends, and then prints `CARRIED n DROPPED n OVERTAKEN n`.
Stands in for netem where the kernel has none.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
DEVICE = "lossy0"

libc = ctypes.CDLL(None, use_errno=True)


def tun_in(namespace):
    """Opens a TUN device whose network side is in the namespace."""
    with open("/run/netns/" + namespace) as target:
        if libc.setns(target.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + namespace)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def configure(namespace, address, peer):
    for words in (
        ["addr", "add", address, "peer", peer, "dev", DEVICE],
        ["link", "set", DEVICE, "up"],
        ["link", "set", "lo", "up"],
    ):
        subprocess.run(["ip", "-n", namespace] + words, check=True)


def main():
    space_a, addr_a, space_b, addr_b = sys.argv[1:5]
    loss, reorder = float(sys.argv[5]) / 100, float(sys.argv[6]) / 100
    chance = random.Random(int(sys.argv[7]))
    tun_a, tun_b = tun_in(space_a), tun_in(space_b)
    configure(space_a, addr_a, addr_b)
    configure(space_b, addr_b, addr_a)
    other = {tun_a: tun_b, tun_b: tun_a}
    held = []  # (when it may go, a number to keep the order, where to, packet)
    carried = dropped = overtaken = 0
    print("READY", flush=True)

    def send(fd, packet):
        try:
            os.write(fd, packet)
        except BlockingIOError:
            pass  # a full queue: one more packet lost

    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        ready, _, _ = select.select([tun_a, tun_b, sys.stdin], [], [], wait)
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 4096):
            break
        for fd in ready:
            if fd not in other:
                continue
            packet = os.read(fd, 65536)
            if chance.random() < loss:
                dropped += 1
            elif chance.random() < reorder:
                overtaken += 1
                until = time.monotonic() + chance.uniform(0.002, 0.012)
                heapq.heappush(held, (until, overtaken, other[fd], packet))
            else:
                carried += 1
                send(other[fd], packet)
        while held and held[0][0] <= time.monotonic():
            _, _, fd, packet = heapq.heappop(held)
            send(fd, packet)
    print("CARRIED", carried, "DROPPED", dropped, "OVERTAKEN", overtaken, flush=True)


main()
