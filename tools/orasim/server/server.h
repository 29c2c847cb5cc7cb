// The listener and its sessions: one thread a connection.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/session.h"
#include "server/break_watch.h"
#include "server/login.h"
#include "server/options.h"
#include "server/stream.h"

namespace orasim::server {

class Server {
 public:
  /// Binds and starts to accept. `database` must outlive the server. Throws std::runtime_error with
  /// the address or file that was at fault.
  Server(ServerOptions options, Database& database);
  /// Ends all sessions (open transactions roll back) and waits for them.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Peer {
    explicit Peer(int fd) : stream(fd) {}
    Stream stream;
    std::thread thread;
    Session* session = nullptr;  // guarded by mutex_
    bool done = false;           // guarded by mutex_
  };

  void accept_loop(int listener, std::uint16_t redirect_to);
  void start_peer(int fd, std::uint16_t redirect_to);
  void serve(Peer&, std::uint16_t redirect_to);
  void serve_session(Peer&, std::uint16_t redirect_to);
  void reap();

  ServerOptions options_;
  Database& database_;
  std::unique_ptr<TlsContext> tls_;
  Shared shared_;
  BreakWatch watch_;
  int listener_ = -1;
  int second_listener_ = -1;  // where redirected clients go
  std::uint16_t port_ = 0;
  std::thread acceptor_, second_acceptor_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::list<Peer> peers_;
  std::atomic<std::uint32_t> next_session_id_ = 100;
};

}  // namespace orasim::server
