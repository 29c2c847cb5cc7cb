// A TCP connection, in the clear or under TLS. Blocking calls that obey a stop token and a point in
// time. Used by one thread at a time; the destructor closes without waiting.
//
// Errors are kTransient and carry errno's name and text: "net.refused" (nobody listens),
// "net.resolve", "net.unreachable", "net.timeout", "net.closed", "net.tls"; kCancelled on stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/tls.h"
#include "net/wait.h"

namespace wherry::net {

struct DialOptions {
  std::chrono::milliseconds connect_timeout{20'000};  ///< for the name, and for each address of it
  /// Idle time before the first keep-alive probe. Probes: every 6 s, 10 of them; then the
  /// connection counts as dead, as it does when sent bytes are not received for as long.
  std::chrono::seconds keep_alive_idle{60};
  /// Of the socket, for lines that are both fast and long; 0: as the system has them.
  std::uint32_t receive_buffer_bytes = 0, send_buffer_bytes = 0;
};

class Stream {
 public:
  /// Connects to the first address of `host` that answers.
  static Result<std::unique_ptr<Stream>> dial(const OpContext& context, const std::string& host,
                                              std::uint16_t port, const DialOptions& options = {});
  /// Takes a connected socket.
  explicit Stream(int fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// At least one byte, at most `out.size()`; "net.closed" when the peer has closed.
  Result<std::size_t> read_some(std::span<std::uint8_t> out, const Wait& wait);
  Result<void> write_all(std::span<const std::uint8_t> data, const Wait& wait);

  /// TLS handshake as a client; a TLS session that is there already is dropped without closing it
  /// (Oracle's listeners hand the socket over and start afresh).
  Result<void> start_tls(const TlsContext& context, const std::string& server_name,
                         const Wait& wait);
  [[nodiscard]] bool is_encrypted() const { return tls_ != nullptr; }
  /// REQUIRES: is_encrypted().
  [[nodiscard]] PeerCertificate peer_certificate() const;

 private:
  Result<void> wait_for_tls(int done, const Wait& wait, const char* what);
  Result<std::size_t> read_tls(std::span<std::uint8_t> out, const Wait& wait);
  Result<std::size_t> write_tls(std::span<const std::uint8_t> data, const Wait& wait);
  Result<std::size_t> write_some(std::span<const std::uint8_t> data, const Wait& wait);

  int fd_;
  StopEvent stop_event_;
  TlsSessionPtr tls_;
};

/// An errno as an error of this module: code by kind, native code and text.
Error network_error(int error_number, const std::string& what);

}  // namespace wherry::net
