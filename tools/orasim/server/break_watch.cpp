#include "server/break_watch.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

namespace orasim::server {

BreakWatch::BreakWatch()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (epoll_ < 0 || wake_ < 0) throw std::runtime_error("cannot create the break watch");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  thread_ = std::thread([this] { run(); });
}

BreakWatch::~BreakWatch() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  thread_.join();
  ::close(wake_);
  ::close(epoll_);
}

void BreakWatch::arm(int fd, std::function<void()> on_input) {
  const std::lock_guard lock(mutex_);
  armed_[fd] = std::move(on_input);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  event.data.fd = fd;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void BreakWatch::disarm(int fd) {
  const std::lock_guard lock(mutex_);
  if (armed_.erase(fd) > 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void BreakWatch::run() {
  for (;;) {
    epoll_event event{};
    if (::epoll_wait(epoll_, &event, 1, -1) != 1) continue;
    if (event.data.fd == wake_) return;
    const std::lock_guard lock(mutex_);
    const auto found = armed_.find(event.data.fd);
    if (found != armed_.end()) found->second();
  }
}

}  // namespace orasim::server
