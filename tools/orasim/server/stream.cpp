#include "server/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace orasim::server {

namespace {

std::string tls_error() {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* p) const {
  SSL_CTX_free(p);
}

TlsContext::TlsContext(const std::string& certificate_file, const std::string& key_file,
                       const std::string& client_trust_file)
    : context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_) throw std::runtime_error("TLS: " + tls_error());
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY);
  if (SSL_CTX_use_certificate_chain_file(context_.get(), certificate_file.c_str()) != 1) {
    throw std::runtime_error("--tls-cert " + certificate_file + ": " + tls_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context_.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context_.get()) != 1) {
    throw std::runtime_error("--tls-key " + key_file + ": " + tls_error());
  }
  if (client_trust_file.empty()) return;
  if (SSL_CTX_load_verify_locations(context_.get(), client_trust_file.c_str(), nullptr) != 1) {
    throw std::runtime_error("--tls-client-trust " + client_trust_file + ": " + tls_error());
  }
  // Sessions are not resumed here, but OpenSSL wants a name for them once clients are verified.
  static constexpr unsigned char kName[] = "orasim";
  SSL_CTX_set_session_id_context(context_.get(), kName, sizeof kName);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

void Stream::Free::operator()(ssl_st* p) const {
  SSL_free(p);
}

Stream::~Stream() {
  if (tls_) SSL_shutdown(tls_.get());
  tls_.reset();
  ::close(fd_);
}

void Stream::start_tls(const TlsContext& context) {
  tls_.reset(SSL_new(context.get()));
  if (!tls_ || SSL_set_fd(tls_.get(), fd_) != 1 || SSL_accept(tls_.get()) != 1) {
    throw Closed("TLS handshake failed: " + tls_error());
  }
}

std::size_t Stream::read(std::span<std::uint8_t> to) {
  if (tls_) {
    std::size_t got = 0;
    if (SSL_read_ex(tls_.get(), to.data(), to.size(), &got) != 1) {
      ERR_clear_error();
      throw Closed("TLS connection ended");
    }
    return got;
  }
  for (;;) {
    const ssize_t got = ::recv(fd_, to.data(), to.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw Closed("connection closed by the client");
    if (errno != EINTR) throw Closed(std::string("connection lost: ") + std::strerror(errno));
  }
}

void Stream::write(std::span<iovec> parts) {
  if (tls_) return write_tls(parts);
  constexpr std::size_t kMaxParts = 512;
  while (!parts.empty()) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = std::min(parts.size(), kMaxParts);
    const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      throw Closed(std::string("connection lost: ") + std::strerror(errno));
    }
    auto left = static_cast<std::size_t>(sent);
    while (!parts.empty() && left >= parts.front().iov_len) {
      left -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (!parts.empty()) {
      parts.front().iov_base = static_cast<std::uint8_t*>(parts.front().iov_base) + left;
      parts.front().iov_len -= left;
    }
  }
}

// The TLS layer takes one block at a time; small parts are joined so that records stay large.
void Stream::write_tls(std::span<iovec> parts) {
  constexpr std::size_t kBlock = 65536;
  std::vector<std::uint8_t> block;
  const auto send = [&] {
    std::size_t written = 0;
    if (!block.empty() && SSL_write_ex(tls_.get(), block.data(), block.size(), &written) != 1) {
      ERR_clear_error();
      throw Closed("TLS connection lost while sending");
    }
    block.clear();
  };
  for (const iovec& part : parts) {
    const auto* from = static_cast<const std::uint8_t*>(part.iov_base);
    block.insert(block.end(), from, from + part.iov_len);
    if (block.size() >= kBlock) send();
  }
  send();
}

bool Stream::has_pending() const {
  return tls_ && SSL_has_pending(tls_.get()) == 1;
}

void Stream::set_read_timeout(int seconds) {
  timeval limit{};
  limit.tv_sec = seconds;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

void Stream::shut_down() {
  ::shutdown(fd_, SHUT_RDWR);
}

}  // namespace orasim::server
