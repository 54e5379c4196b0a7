#!/usr/bin/env python3
"""A line from a host's card to the switch that is worse than a cable: every frame comes late, and no more than so many bits a second come at all.

Usage: line.py CARD WIRE MBITS ONE_WAY_MS. Makes the card CARD, which says that it has MBITS, and carries frames between it and the interface WIRE. Says
`ready` when both are there, and ends when one of them is gone. Started by lab/slow-line.ts in the switch's namespace.
"""

import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections import deque

# linux/if_tun.h, linux/if_packet.h, linux/sockios.h, linux/ethtool.h
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 1, 15, 23
PACKET_MR_PROMISC = 1
SIOCETHTOOL, ETHTOOL_SSET, DUPLEX_FULL = 0x8946, 2, 1
ETH_P_ALL = 3
# A header of 10 bytes says which sums and which cutting into segments the kernel has left to the card; without it such frames would arrive broken.
LARGEST = 10 + 14 + 65536
# What waits longer is dropped, as a router does whose queue is full.
QUEUE_S = 0.25
PASSING = (errno.EAGAIN, errno.ENOBUFS, errno.EIO, errno.ENETDOWN, errno.EMSGSIZE, errno.EINVAL)


def make_card(name, mbits):
    card = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(card, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    # struct ethtool_cmd, 44 bytes: of it the speed, in two halves, and the duplex.
    said = bytearray(struct.pack("IIIHB", ETHTOOL_SSET, 0, 0, mbits & 0xFFFF, DUPLEX_FULL).ljust(44, b"\0"))
    struct.pack_into("H", said, 28, mbits >> 16)
    place = ctypes.create_string_buffer(bytes(said), 44)
    asked = struct.pack("16sQ16x", name.encode(), ctypes.addressof(place))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, asked)
    return card


def open_wire(name):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    wire.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    wire.bind((name, ETH_P_ALL))
    promiscuous = struct.pack("IHH8s", socket.if_nametoindex(name), PACKET_MR_PROMISC, 0, b"")
    wire.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous)
    wire.setblocking(False)
    return wire


class Direction:
    def __init__(self, source, target, line):
        self.source, self.target = source, target
        self.bytes_per_second, self.one_way_s = line
        self.free_at = 0.0
        self.under_way = deque()

    def take(self):
        while True:
            try:
                frame = os.read(self.source, LARGEST)
            except BlockingIOError:
                return
            now = time.monotonic()
            begins_at = max(now, self.free_at)
            if begins_at - now > QUEUE_S:
                continue
            self.free_at = begins_at + len(frame) / self.bytes_per_second
            self.under_way.append((self.free_at + self.one_way_s, frame))

    def deliver(self):
        """Answers how long the next frame has to wait; None: there is none."""
        while self.under_way:
            wait_s = self.under_way[0][0] - time.monotonic()
            if wait_s > 0:
                return wait_s
            try:
                os.write(self.target, self.under_way.popleft()[1])
            except OSError as error:
                if error.errno not in PASSING:
                    raise
        return None


def main():
    card_name, wire_name, mbits, one_way_ms = sys.argv[1:]
    line = (float(mbits) * 125_000, float(one_way_ms) / 1000)
    card = make_card(card_name, int(mbits))
    with open_wire(wire_name) as wire:
        directions = [Direction(card, wire.fileno(), line), Direction(wire.fileno(), card, line)]
        print("ready", flush=True)
        while True:
            waits = [wait for wait in (direction.deliver() for direction in directions) if wait is not None]
            ready, _, _ = select.select([card, wire.fileno()], [], [], min(waits, default=None))
            for direction in directions:
                if direction.source in ready:
                    direction.take()


try:
    main()
except OSError as gone:
    sys.exit(f"line.py: {gone}")
