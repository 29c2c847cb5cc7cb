// A connected socket, plain or TLS. Blocking; used by the session's thread only, except shut_down()
// and fd(), which any thread may call.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace orasim::server {

/// The peer went away or the server is stopping.
class Closed : public std::runtime_error {
 public:
  explicit Closed(const std::string& why) : std::runtime_error(why) {}
};

/// Certificate and key of the TLS listener. Throws std::runtime_error naming the file.
class TlsContext {
 public:
  /// `client_trust_file`: certificates of which clients must show one, or one signed by them;
  /// empty: clients need none.
  TlsContext(const std::string& certificate_file, const std::string& key_file,
             const std::string& client_trust_file = {});
  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st*) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

class Stream {
 public:
  explicit Stream(int fd) : fd_(fd) {}  ///< takes the socket over
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Server side of a TLS handshake; a second call drops the old session and starts anew.
  void start_tls(const TlsContext&);
  /// At least one byte; throws Closed at the end of the stream or on a timeout.
  std::size_t read(std::span<std::uint8_t> to);
  /// Sends all parts in order.
  void write(std::span<iovec> parts);
  /// Whether bytes wait inside the TLS layer, where poll cannot see them.
  [[nodiscard]] bool has_pending() const;
  /// Seconds a read may wait; 0: for ever.
  void set_read_timeout(int seconds);
  void shut_down();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void write_tls(std::span<iovec> parts);
  struct Free {
    void operator()(ssl_st*) const;
  };
  int fd_;
  std::unique_ptr<ssl_st, Free> tls_;
};

}  // namespace orasim::server
