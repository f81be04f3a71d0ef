"""A file system with one file, whose metadata the kernel may keep for an hour.

As a network file system has it: what is changed on the other side is not told. Each line on
standard input is the next content of the file, with a later date; "ok" is the answer.
"""

import ctypes
import os
import stat
import struct
import sys
import threading
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 28, 29)
ENOENT, ENOSYS = 2, 38
HOUR = 3600
ROOT, FILE, NAME = 1, 2, b"a.txt"

content, changed = b"first", 1_000_000_000


def attributes(node):
    if node == ROOT:
        mode, size = stat.S_IFDIR | 0o755, 0
    else:
        mode, size = stat.S_IFREG | 0o644, len(content)
    times = (changed, changed, changed)
    return struct.pack("<QQQQQQIIIIIIIIII", node, size, 1, *times, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(opcode, node, body):
    if opcode == INIT:
        return struct.pack("<IIIIHHIIHHIIIIII", 7, 31, 65536, 0, 12, 10, 65536, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    if opcode == LOOKUP:
        if node != ROOT or body.rstrip(b"\0") != NAME:
            return ENOENT
        return struct.pack("<QQQQII", FILE, 0, HOUR, HOUR, 0, 0) + attributes(FILE)
    if opcode == GETATTR:
        return struct.pack("<QII", HOUR, 0, 0) + attributes(node)
    if opcode in (OPEN, OPENDIR):
        return struct.pack("<QII", 1, 0, 0)
    if opcode == READ:
        _, offset, size = struct.unpack_from("<QQI", body)
        return content[offset:offset + size]
    if opcode == READDIR:
        _, offset = struct.unpack_from("<QQ", body)
        entry = struct.pack("<QQII", FILE, 1, len(NAME), stat.S_IFREG >> 12) + NAME
        return b"" if offset else entry.ljust((len(entry) + 7) & ~7, b"\0")
    if opcode == STATFS:
        return struct.pack("<QQQQQIIII24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0)
    if opcode in (FLUSH, RELEASE, RELEASEDIR):
        return b""
    return ENOSYS


def serve(device):
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError:
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode == FORGET:
            continue
        told = answer(opcode, node, request[40:])
        error, told = (-told, b"") if isinstance(told, int) else (0, told)
        os.write(device, struct.pack("<IiQ", 16 + len(told), error, unique) + told)


def main(folder):
    global content, changed
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"cached", folder.encode(), b"fuse", 0, options) != 0:
        sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    threading.Thread(target=serve, args=(device,), daemon=True).start()
    try:
        print("ok", flush=True)
        for line in sys.stdin:
            content, changed = line.rstrip("\n").encode(), changed + 100
            print("ok", flush=True)
    finally:
        libc.umount2(folder.encode(), 2)


main(sys.argv[1])
