#include "server/server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/error.h"
#include "server/calls.h"
#include "server/channel.h"

namespace orasim::server {

namespace {

constexpr int kLoginSeconds = 60;

struct Addresses {
  addrinfo* list = nullptr;
  ~Addresses() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
};

int open_listener(const std::string& host, std::uint16_t port) {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  Addresses found;
  if (const int code =
          ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found.list)) {
    throw std::runtime_error("--listen " + where + ": " + ::gai_strerror(code));
  }
  const int fd = ::socket(found.list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || ::bind(fd, found.list->ai_addr, found.list->ai_addrlen) != 0 ||
      ::listen(fd, 128) != 0) {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("--listen " + where + ": " + why);
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

Server::Server(ServerOptions options, Database& database)
    : options_(std::move(options)),
      database_(database),
      tls_(options_.tls_certificate.empty()
               ? nullptr
               : std::make_unique<TlsContext>(options_.tls_certificate, options_.tls_key,
                                              options_.tls_client_trust)),
      shared_{options_, database_, tls_.get()} {
  // The TLS library writes without MSG_NOSIGNAL.
  ::signal(SIGPIPE, SIG_IGN);
  listener_ = open_listener(options_.host, options_.port);
  port_ = port_of(listener_);
  std::uint16_t redirect_to = 0;
  if (options_.redirect) {
    second_listener_ = open_listener(options_.host, 0);
    redirect_to = port_of(second_listener_);
    second_acceptor_ = std::thread([this] { accept_loop(second_listener_, 0); });
  }
  acceptor_ = std::thread([this, redirect_to] { accept_loop(listener_, redirect_to); });
}

Server::~Server() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Peer& peer : peers_) {
      if (peer.session != nullptr) peer.session->cancel();
      if (!peer.done) peer.stream.shut_down();
    }
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  if (second_listener_ >= 0) {
    ::shutdown(second_listener_, SHUT_RDWR);
    second_acceptor_.join();
    ::close(second_listener_);
  }
  for (Peer& peer : peers_) peer.thread.join();
}

void Server::accept_loop(int listener, std::uint16_t redirect_to) {
  for (;;) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED || errno == EMFILE) continue;
      return;  // shut down
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    start_peer(fd, redirect_to);
  }
}

void Server::start_peer(int fd, std::uint16_t redirect_to) {
  reap();
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    ::close(fd);
    return;
  }
  Peer& peer = peers_.emplace_back(fd);
  peer.thread = std::thread([this, &peer, redirect_to] { serve(peer, redirect_to); });
}

// Joins the threads of connections that have ended.
void Server::reap() {
  std::list<Peer> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      const auto next = std::next(peer);
      if (peer->done) ended.splice(ended.end(), peers_, peer);
      peer = next;
    }
  }
  for (Peer& peer : ended) peer.thread.join();
}

void Server::serve(Peer& peer, std::uint16_t redirect_to) {
  try {
    serve_session(peer, redirect_to);
  } catch (const Closed&) {
    // the ordinary end
  } catch (const std::exception& error) {
    std::fprintf(stderr, "orasim: connection dropped: %s\n", error.what());
  }
  const std::lock_guard lock(mutex_);
  peer.session = nullptr;
  peer.done = true;
  peer.stream.shut_down();
}

void Server::serve_session(Peer& peer, std::uint16_t redirect_to) {
  peer.stream.set_read_timeout(kLoginSeconds);
  if (tls_) peer.stream.start_tls(*tls_);
  Channel channel(peer.stream);
  ConnectOutcome connect;
  if (!accept_connect(channel, shared_, redirect_to, connect)) return;
  Login login = log_in(channel, shared_, connect, next_session_id_++);
  peer.stream.set_read_timeout(0);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    peer.session = login.session.get();
  }
  Calls calls(channel, shared_, watch_, std::move(login));
  // Cleared before the session goes, so that a stop never cancels a dead one.
  struct Forget {
    Server& server;
    Peer& peer;
    ~Forget() {
      const std::lock_guard lock(server.mutex_);
      peer.session = nullptr;
    }
  } const forget{*this, peer};
  calls.run();
}

}  // namespace orasim::server
