// For tests: records what a server says to the client, and says it again, cut into other pieces.
// The client's end is one side of a socket pair, so that a piece is known to have been read before
// the next one is written: every border is a border of the client's reads too.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "connect/oracle/channel.h"
#include "connect/oracle/login.h"
#include "connect/oracle/session.h"
#include "connect/oracle/wire/tns.h"
#include "net/stream.h"

namespace wherry::oracle::replay {

/// What the client sent before the server said something, and that.
struct Turn {
  std::size_t client_bytes = 0;
  std::string server_bytes;
};
using Recording = std::vector<Turn>;

/// The server's side of a socket pair, played by `script` on a thread of its own.
class Pair {
 public:
  explicit Pair(const std::function<void(int fd)>& script) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    client_ = ends[0];
    // As a dialled one: the client waits with its deadline, not in recv().
    if (fcntl(client_, F_SETFL, O_NONBLOCK) != 0) std::abort();
    thread_ = std::thread([server = ends[1], script] {
      script(server);
      ::close(server);
    });
  }
  /// REQUIRES: the client's end was taken and is closed, or the script ends by itself.
  ~Pair() { thread_.join(); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  [[nodiscard]] std::unique_ptr<net::Stream> take_client() {
    return std::make_unique<net::Stream>(std::exchange(client_, -1));
  }

 private:
  int client_ = -1;
  std::thread thread_;
};

inline bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// False when the other end is closed.
inline bool wait_until_read(int fd) {
  while (true) {
    int unread = 0;
    if (ioctl(fd, SIOCOUTQ, &unread) != 0 || unread == 0) return true;
    pollfd polled{fd, 0, 0};
    if (poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR)) != 0) return false;
    sched_yield();
  }
}

/// Takes whole packets off the beginning of a server's bytes.
class PacketCutter {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  std::optional<std::string> next() {
    wire::Reader in(wire::bytes_of(bytes_));
    const wire::PacketHeader header = wire::decode_header(in, is_large_, wire::kMaxPacketBytes);
    if (!in.ok() || header.length > bytes_.size()) return std::nullopt;
    std::string packet = bytes_.substr(0, header.length);
    bytes_.erase(0, header.length);
    if (header.type == wire::PacketType::kAccept) {
      wire::Reader body(wire::bytes_of(std::string_view(packet).substr(wire::kHeaderBytes)));
      is_large_ = wire::decode_accept(body).has_large_header();
    }
    return packet;
  }
  [[nodiscard]] bool is_large() const { return is_large_; }

 private:
  std::string bytes_;
  bool is_large_ = false;
};

/// Carries bytes between the client and a server at `port` of this machine until one of them ends.
/// `on_packet` is called behind each packet of the server, with its number from 1.
inline void relay(int client, int port, Recording& recording,
                  const std::function<void(std::size_t)>& on_packet = {}) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool is_open = connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  EXPECT_TRUE(is_open) << "the simulator does not answer";
  std::string buffer(65536, '\0');
  PacketCutter packets;
  std::size_t count = 0;
  while (is_open) {
    pollfd polled[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(polled, 2, -1) < 0) break;
    for (const bool from_server : {false, true}) {
      if (!is_open || polled[from_server ? 1 : 0].revents == 0) continue;
      const ssize_t got =
          ::recv(from_server ? server : client, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) {
        is_open = false;
        continue;
      }
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      if (!from_server) {
        if (recording.empty() || !recording.back().server_bytes.empty()) recording.emplace_back();
        recording.back().client_bytes += bytes.size();
        is_open = write_all(server, bytes);
        continue;
      }
      if (recording.empty()) recording.emplace_back();
      recording.back().server_bytes += bytes;
      packets.add(bytes);
      while (const auto packet = packets.next()) {
        if (!write_all(client, *packet)) is_open = false;
        if (on_packet) on_packet(++count);
      }
    }
  }
  ::close(server);
}

enum class AtEnd : std::uint8_t { kWaitForClient, kClose };

/// Plays a recording; `cuts(offset)` says whether a piece ends at that offset of all that the
/// server says.
inline void play(int fd, const Recording& recording, const std::function<bool(std::size_t)>& cuts,
                 AtEnd at_end = AtEnd::kWaitForClient) {
  std::size_t offset = 0;
  std::string request(65536, '\0');
  for (const Turn& turn : recording) {
    for (std::size_t left = turn.client_bytes; left > 0;) {
      const ssize_t got = ::recv(fd, request.data(), std::min(left, request.size()), 0);
      if (got <= 0) return;
      left -= static_cast<std::size_t>(got);
    }
    std::string_view bytes = turn.server_bytes;
    while (!bytes.empty()) {
      std::size_t size = 1;
      while (size < bytes.size() && !cuts(offset + size)) ++size;
      if (!write_all(fd, bytes.substr(0, size)) || !wait_until_read(fd)) return;
      bytes.remove_prefix(size);
      offset += size;
    }
  }
  if (at_end == AtEnd::kClose) return;
  // The client closes when it is done.
  while (::recv(fd, request.data(), request.size(), 0) > 0) continue;
}

/// The same recording with DATA packets of at most `payload_bytes`, as another SDU would have cut
/// them.
inline Recording recut(const Recording& recording, std::size_t payload_bytes) {
  Recording result;
  PacketCutter packets;
  for (const Turn& turn : recording) {
    Turn& out = result.emplace_back();
    out.client_bytes = turn.client_bytes;
    packets.add(turn.server_bytes);
    while (const auto whole = packets.next()) {
      const std::string_view packet = *whole;
      const bool is_large = packets.is_large();
      const auto type = static_cast<wire::PacketType>(packet[4]);
      const auto flags = static_cast<std::uint8_t>(packet[5]);
      if (type != wire::PacketType::kData || packet.size() <= wire::kDataHeaderBytes) {
        out.server_bytes += packet;
        continue;
      }
      std::string_view payload = packet.substr(wire::kDataHeaderBytes);
      while (!payload.empty()) {
        const std::string_view piece = payload.substr(0, payload_bytes);
        payload.remove_prefix(piece.size());
        wire::Writer writer;
        wire::encode_header(writer,
                            {static_cast<std::uint32_t>(piece.size() + wire::kDataHeaderBytes),
                             wire::PacketType::kData, flags},
                            is_large);
        // Only the last packet carries the flags of the whole.
        if (payload.empty()) {
          writer.raw(packet.substr(wire::kHeaderBytes, 2));
        } else {
          writer.u16(0);
        }
        writer.raw(piece);
        out.server_bytes += wire::text_of(writer.bytes());
      }
    }
  }
  return result;
}

inline std::size_t server_bytes(const Recording& recording) {
  std::size_t bytes = 0;
  for (const Turn& turn : recording) bytes += turn.server_bytes.size();
  return bytes;
}

/// A session over a stream that is connected already; always the same random values, so that a
/// recorded log-in proves itself again.
inline Result<std::unique_ptr<Session>> log_in_over(std::unique_ptr<net::Stream> stream,
                                                    const ConnectOptions& options,
                                                    std::string_view service,
                                                    std::uint16_t tns_version) {
  OpContext context;
  Connection connection;
  connection.wait = net::Wait::of(context, std::chrono::seconds(60));
  connection.channel = std::make_unique<Channel>(std::move(stream));
  wire::ConnectRequest request;
  request.version = tns_version;
  request.connect_data = "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=" + std::string(service) + ")))";
  WHERRY_TRY(connection.channel->send_raw(wire::encode_connect(request), connection.wait));
  WHERRY_ASSIGN(const auto packet, connection.channel->read_packet(connection.wait));
  wire::Reader body(packet.body);
  connection.accept = wire::decode_accept(body);
  connection.channel->accept(connection.accept);
  wire::LoginRandom random;
  random.session_half.fill(0x5A);
  random.password_salt.fill(0x33);
  random.speedy_salt.fill(0x44);
  WHERRY_ASSIGN(auto login,
                log_in(context, std::move(connection), options, local_identity(options), random));
  return std::unique_ptr<Session>(
      std::make_unique<SessionImpl>(std::move(login), ConnectOptions().statement_cache_size));
}

}  // namespace wherry::oracle::replay
