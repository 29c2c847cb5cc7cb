// Notices a client's break while its call runs: one thread watches the sockets of all sessions that
// are inside a call, where the only thing a client may send is a marker (or its end).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace orasim::server {

class BreakWatch {
 public:
  BreakWatch();
  ~BreakWatch();
  BreakWatch(const BreakWatch&) = delete;
  BreakWatch& operator=(const BreakWatch&) = delete;

  /// Calls `on_input` once, from the watching thread, as soon as `fd` is readable.
  void arm(int fd, std::function<void()> on_input);
  /// After this returns `on_input` neither runs nor will run.
  void disarm(int fd);

 private:
  void run();
  int epoll_;
  int wake_;
  std::mutex mutex_;
  std::map<int, std::function<void()>> armed_;
  std::thread thread_;
};

}  // namespace orasim::server
