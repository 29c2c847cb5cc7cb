#include "net/wait.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace wherry::net {
namespace {

/// Milliseconds for poll(), -1 for no limit; rounded up so that a wait never ends early.
int poll_timeout(Clock::time_point until) {
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

Error timeout_error() {
  Error error =
      make_error(ErrorKind::kTransient, "net.timeout", "The other side did not answer in time",
                 "Check the network and the load of the server, then try again");
  error.native_code = "ETIMEDOUT";
  return error;
}

}  // namespace

StopEvent::StopEvent() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

StopEvent::~StopEvent() {
  if (fd_ >= 0) close(fd_);
}

void StopEvent::signal() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

void StopEvent::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(fd_, &count, sizeof count);
}

Result<void> StopEvent::wait_for(int fd, short events, const Wait& wait) {
  const std::stop_callback wake(wait.stop, [this] { signal(); });
  pollfd polled[2] = {{fd, events, 0}, {fd_, POLLIN, 0}};
  while (!wait.stop.stop_requested()) {
    const int timeout = poll_timeout(wait.until);
    const int ready = poll(polled, 2, timeout);
    if (ready < 0 && errno != EINTR) {
      return make_error(ErrorKind::kResource, "net.poll",
                        std::string("Waiting for the network failed: ") + std::strerror(errno),
                        "Check the limit on open files");
    }
    if (ready > 0 && polled[0].revents != 0) return {};
    if (ready > 0) clear();  // the stop that is seen next, or a late signal of an earlier one
    if (ready == 0 && Clock::now() >= wait.until) return timeout_error();
  }
  return cancelled_error();
}

}  // namespace wherry::net
