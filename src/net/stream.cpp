#include "net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wherry::net {
namespace {

Error closed_error() {
  Error error =
      make_error(ErrorKind::kTransient, "net.closed", "The other side closed the connection",
                 "Check that the server is up and that nothing between cuts connections");
  error.native_code = "ECONNRESET";
  return error;
}

Error tls_error(std::string text) {
  Error error = make_error(
      ErrorKind::kTransient, "net.tls", "TLS failed",
      "Check that the port speaks TLS, and that the wallet or CA file trusts the server");
  error.native_text = std::move(text);
  return error;
}

std::string verification_text(SSL* session) {
  const long result = SSL_get_verify_result(session);
  if (result == X509_V_OK) return {};
  return std::string("certificate verification: ") + X509_verify_cert_error_string(result) + "; ";
}

}  // namespace

Stream::Stream(int fd) : fd_(fd) {}

Stream::~Stream() {
  tls_.reset();
  if (fd_ >= 0) close(fd_);
}

Result<std::size_t> Stream::read_some(std::span<std::uint8_t> out, const Wait& wait) {
  if (tls_ != nullptr) return read_tls(out, wait);
  while (true) {
    const ssize_t got = recv(fd_, out.data(), out.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return closed_error();
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WHERRY_TRY(stop_event_.wait_for(fd_, POLLIN, wait));
    } else if (errno != EINTR) {
      return network_error(errno, "Reading from the server failed");
    }
  }
}

/// Ok when the operation that gave `done` is to be repeated.
Result<void> Stream::wait_for_tls(int done, const Wait& wait, const char* what) {
  switch (SSL_get_error(tls_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return stop_event_.wait_for(fd_, POLLIN, wait);
    case SSL_ERROR_WANT_WRITE:
      return stop_event_.wait_for(fd_, POLLOUT, wait);
    case SSL_ERROR_ZERO_RETURN:
      return closed_error();
    case SSL_ERROR_SYSCALL:
      if (errno == 0) return closed_error();
      return network_error(errno, what);
    default:
      return tls_error(tls_error_text());
  }
}

Result<std::size_t> Stream::read_tls(std::span<std::uint8_t> out, const Wait& wait) {
  while (true) {
    ERR_clear_error();
    std::size_t got = 0;
    const int done = SSL_read_ex(tls_.get(), out.data(), out.size(), &got);
    if (done == 1) return got;
    WHERRY_TRY(wait_for_tls(done, wait, "Reading from the server failed"));
  }
}

Result<std::size_t> Stream::write_tls(std::span<const std::uint8_t> data, const Wait& wait) {
  while (true) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int done = SSL_write_ex(tls_.get(), data.data(), data.size(), &sent);
    if (done == 1) return sent;
    WHERRY_TRY(wait_for_tls(done, wait, "Writing to the server failed"));
  }
}

Result<std::size_t> Stream::write_some(std::span<const std::uint8_t> data, const Wait& wait) {
  if (tls_ != nullptr) return write_tls(data, wait);
  while (true) {
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WHERRY_TRY(stop_event_.wait_for(fd_, POLLOUT, wait));
    } else if (errno != EINTR) {
      return network_error(errno, "Writing to the server failed");
    }
  }
}

Result<void> Stream::write_all(std::span<const std::uint8_t> data, const Wait& wait) {
  while (!data.empty()) {
    WHERRY_ASSIGN(const std::size_t sent, write_some(data, wait));
    data = data.subspan(sent);
  }
  return {};
}

Result<void> Stream::start_tls(const TlsContext& context, const std::string& server_name,
                               const Wait& wait) {
  if (tls_ != nullptr) SSL_set_quiet_shutdown(tls_.get(), 1);
  tls_.reset(SSL_new(context.get()));
  WHERRY_ASSERT(tls_ != nullptr, "OpenSSL has no memory for a session");
  SSL_set_fd(tls_.get(), fd_);
  if (!server_name.empty()) SSL_set_tlsext_host_name(tls_.get(), server_name.c_str());
  while (true) {
    ERR_clear_error();
    const int done = SSL_connect(tls_.get());
    if (done == 1) return {};
    switch (SSL_get_error(tls_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        WHERRY_TRY(stop_event_.wait_for(fd_, POLLIN, wait));
        break;
      case SSL_ERROR_WANT_WRITE:
        WHERRY_TRY(stop_event_.wait_for(fd_, POLLOUT, wait));
        break;
      case SSL_ERROR_SYSCALL:
        return errno == 0 ? closed_error() : network_error(errno, "The TLS handshake failed");
      default:
        return tls_error(verification_text(tls_.get()) + tls_error_text());
    }
  }
}

PeerCertificate Stream::peer_certificate() const {
  WHERRY_ASSERT(tls_ != nullptr, "the connection is not encrypted");
  return describe_peer(tls_.get());
}

}  // namespace wherry::net
