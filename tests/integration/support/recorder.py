"""A TCP proxy that writes what passes into a pcap file, as tcpdump would have seen it."""
import socket
import struct
import threading
import time

CLIENT, SERVER = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"
SYN, ACK, FIN, PUSH = 2, 16, 1, 8
RAW_IP = 101
# What one segment holds, as on Ethernet.
SEGMENT_BYTES = 1448


class PcapWriter:
    """Segments of TCP connections between two hosts, as raw IP packets."""

    def __init__(self, path):
        self._file = open(path, "wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, RAW_IP))
        self._next = {}

    def open(self, port):
        self._next[port] = {True: 1000, False: 5000}
        self.segment(port, True, SYN)
        self.segment(port, False, SYN | ACK)

    def data(self, port, from_client, data):
        for start in range(0, len(data), SEGMENT_BYTES):
            self.segment(port, from_client, ACK | PUSH, data[start:start + SEGMENT_BYTES])

    def segment(self, port, from_client, flags, payload=b""):
        following = self._next[port]
        ports = (port, 1521) if from_client else (1521, port)
        hosts = CLIENT + SERVER if from_client else SERVER + CLIENT
        tcp = struct.pack(">HHIIBBHHH", *ports, following[from_client] & 0xFFFFFFFF,
                          following[not from_client] & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        size = 20 + len(tcp) + len(payload)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0x4000, 64, 6, 0) + hosts
        now = time.time()
        self._file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), size, size))
        self._file.write(ip + tcp + payload)
        following[from_client] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    def close(self):
        self._file.close()


class Recorder:
    """Stands before a server; `address` is where clients connect instead. `writer` is a PcapWriter
    or has its methods; it is closed with this.
    """

    def __init__(self, host, port, writer):
        self._upstream = (host, port)
        self._writer = writer
        self._lock = threading.Lock()
        self._port = 20000
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            with self._lock:
                self._port += 1
                port = self._port
                self._writer.open(port)
            for source, sink, from_client in ((client, server, True), (server, client, False)):
                thread = threading.Thread(target=self._pump, daemon=True,
                                          args=(source, sink, port, from_client))
                self._threads.append(thread)
                thread.start()

    def _pump(self, source, sink, port, from_client):
        try:
            while data := source.recv(65536):
                with self._lock:
                    self._writer.data(port, from_client, data)
                sink.sendall(data)
        except OSError:
            pass
        with self._lock:
            self._writer.segment(port, from_client, FIN | ACK)
        for end, how in ((source, socket.SHUT_RD), (sink, socket.SHUT_WR)):
            try:
                end.shutdown(how)
            except OSError:
                pass

    def close(self):
        """Ends when every connection has: what was said is in the file."""
        self._listener.close()
        for thread in self._threads:
            thread.join(20)
        with self._lock:
            self._writer.close()
