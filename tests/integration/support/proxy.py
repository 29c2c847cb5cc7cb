"""A TCP proxy that can stop the bytes or cut the line at a chosen point, so that a failure hits
mid-way."""
import socket
import threading


class Proxy:
    """Forwards both ways; holds the server's bytes back once `hold_after_bytes` have passed.

    `reached` is set at that moment. release() lets everything through from then on.
    cut_after() breaks, once, the connection that carries a byte of the given number; trouble()
    breaks and stalls connections again and again at bytes that a seeded generator chooses.
    cut_now() breaks all; stall() holds every byte of both sides back until go_on().
    """

    def __init__(self, host, port, hold_after_bytes=None, count="server"):
        self._upstream = (host, port)
        self._limit = hold_after_bytes
        self._counted = count
        self._passed = 0
        self._lock = threading.Lock()
        self.reached = threading.Event()
        self._released = threading.Event()
        if hold_after_bytes is None:
            self._released.set()
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        self._cut_at = None
        self._cut_side = "server"
        self._chooser = None
        self._troubles_left = 0
        self.forwarded = {"client": 0, "server": 0}  # bytes that came from either side
        self.cuts = self.stalls = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._upstream)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client, server):
        ends = (client, server)
        with self._lock:
            self._sockets += ends
        back = threading.Thread(target=self._pump, args=(server, client, "server"), daemon=True)
        back.start()
        self._pump(client, server, "client")
        back.join()
        with self._lock:
            for end in ends:
                self._sockets.remove(end)
                end.close()

    def _pump(self, source, sink, side):
        try:
            while data := source.recv(65536):
                self._flows.wait()
                self._count(side, len(data))
                kept = self._kept(side, data)
                sink.sendall(kept)
                if len(kept) < len(data):
                    break
        except OSError:
            pass
        for end in (source, sink):
            self._shut(end)

    @staticmethod
    def _shut(end):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _count(self, side, size):
        with self._lock:
            self.forwarded[side] += size
        if side != self._counted or self._released.is_set():
            return
        with self._lock:
            self._passed += size
            is_over = self._passed >= self._limit
        if is_over:
            self.reached.set()
            self._released.wait(120)

    def cut_after(self, size, side="server"):
        """The next connection to pass `size` bytes from that side in all breaks there."""
        with self._lock:
            self._cut_at, self._cut_side = size, side

    def has_cut(self):
        return self._cut_at is None

    def cut_now(self):
        with self._lock:
            for end in self._sockets:
                self._shut(end)

    def stall(self):
        self._flows.clear()

    def go_on(self):
        self._flows.set()

    def redirect(self, port):
        """Connections to come go to another port."""
        self._upstream = (self._upstream[0], port)

    def trouble(self, chooser, times, sizes):
        """The next `times` troubles: most are cuts, the others a second without a byte. `sizes`:
        after how many bytes of either side at most, {"server": bytes, "client": bytes}."""
        with self._lock:
            self._chooser, self._troubles_left, self._sizes = chooser, times, sizes
            self._next_trouble()

    def _next_trouble(self):
        self._cut_at = None
        if self._troubles_left > 0:
            self._troubles_left -= 1
            self._cut_side = self._chooser.choice(sorted(self._sizes))
            self._cut_at = self._chooser.randint(0, self._sizes[self._cut_side])

    def _stalls(self):
        return self._chooser is not None and self._chooser.random() < 0.2

    def _kept(self, side, data):
        with self._lock:
            if self._cut_at is None or side != self._cut_side:
                return data
            if self._cut_at >= len(data):
                self._cut_at -= len(data)
                return data
            size, self._cut_at = self._cut_at, None
            stalls = self._stalls()
            self.cuts += not stalls
            self.stalls += stalls
            if self._chooser is not None:
                self._next_trouble()
            if not stalls:
                return data[:size]
        threading.Event().wait(1)
        return data

    def release(self):
        self._released.set()

    def close(self):
        self.release()
        self.go_on()
        self._listener.close()
        self.cut_now()
