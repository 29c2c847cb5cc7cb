// Finding a server: name resolution that can be broken off, and connect() with a limit.
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "net/stream.h"

namespace wherry::net {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_UNSPEC;
};

struct Resolution {
  std::mutex mutex;
  std::condition_variable_any done_changed;
  bool done = false;
  int error = 0;
  std::vector<Address> addresses;
};

int look_up(const std::string& host, std::uint16_t port, int flags,
            std::vector<Address>& addresses) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return error;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    address.size = entry->ai_addrlen;
    address.family = entry->ai_family;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return 0;
}

Error resolve_error(const std::string& host, int error) {
  Error result = make_error(ErrorKind::kTransient, "net.resolve",
                            "The host name " + host + " cannot be resolved",
                            "Check the host name and the DNS settings of this machine");
  result.native_text = gai_strerror(error);
  return result;
}

/// getaddrinfo() cannot be broken off, so it runs on a thread that is left behind on a stop and
/// when the time is over.
Result<std::vector<Address>> resolve(const OpContext& context, const std::string& host,
                                     std::uint16_t port, std::chrono::milliseconds limit) {
  std::vector<Address> numeric;
  if (look_up(host, port, AI_NUMERICHOST, numeric) == 0) return numeric;
  auto shared = std::make_shared<Resolution>();
  std::thread([shared, host, port] {
    std::vector<Address> addresses;
    const int error = look_up(host, port, 0, addresses);
    const std::lock_guard lock(shared->mutex);
    shared->error = error;
    shared->addresses = std::move(addresses);
    shared->done = true;
    shared->done_changed.notify_all();
  }).detach();
  std::unique_lock lock(shared->mutex);
  if (!shared->done_changed.wait_for(lock, context.stop, limit, [&] { return shared->done; })) {
    if (context.stop.stop_requested()) return cancelled_error();
    return network_error(ETIMEDOUT, "Resolving the host name " + host + " took too long");
  }
  if (shared->error != 0) return resolve_error(host, shared->error);
  return std::move(shared->addresses);
}

void set_int(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

/// The system may give less, or the double; it does not say no.
void set_buffer(int fd, int option, std::uint32_t bytes) {
  constexpr std::uint32_t kMost = 1U << 30;
  if (bytes != 0) set_int(fd, SOL_SOCKET, option, static_cast<int>(std::min(bytes, kMost)));
}

void set_options(int fd, const DialOptions& options) {
  // Before the connection is made: the window it scales to is agreed on then.
  set_buffer(fd, SO_RCVBUF, options.receive_buffer_bytes);
  set_buffer(fd, SO_SNDBUF, options.send_buffer_bytes);
  constexpr int kProbeIntervalSecs = 6, kProbeCount = 10;
  constexpr std::chrono::seconds kMaxIdle{32767};  // the kernel's limit
  const std::chrono::seconds idle = std::min(options.keep_alive_idle, kMaxIdle);
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(idle.count()));
  set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbeIntervalSecs);
  set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbeCount);
  // Keep-alive says nothing while sent bytes wait for their receipt; this bounds that wait.
  const auto patience =
      std::chrono::milliseconds(idle) + std::chrono::seconds(kProbeIntervalSecs * kProbeCount);
  set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(patience.count()));
}

std::string place(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::unique_ptr<Stream>> connect_to(const OpContext& context, const Address& address,
                                           const std::string& where, const DialOptions& options) {
  const int fd = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return network_error(errno, "A socket for " + where + " cannot be made");
  auto stream = std::make_unique<Stream>(fd);
  set_options(fd, options);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) {
    return stream;
  }
  const std::string what = "Connecting to " + where + " failed";
  if (errno != EINPROGRESS) return network_error(errno, what);
  StopEvent event;
  if (auto waited = event.wait_for(fd, POLLOUT, Wait::of(context, options.connect_timeout));
      !waited.ok()) {
    if (waited.error().code == "net.timeout") return network_error(ETIMEDOUT, what);
    return std::move(waited).error();
  }
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return network_error(failure, what);
  return stream;
}

}  // namespace

Error network_error(int error_number, const std::string& what) {
  std::string code = "net.failed";
  std::string hint = "Check the network between this machine and the server";
  switch (error_number) {
    case ECONNREFUSED:
      code = "net.refused";
      hint = "Check host and port, and that the server is running and listening there";
      break;
    case ETIMEDOUT:
      code = "net.timeout";
      hint = "Check host and port, and that no firewall drops the packets";
      break;
    case EHOSTUNREACH:
    case ENETUNREACH:
      code = "net.unreachable";
      break;
    case ECONNRESET:
    case EPIPE:
      code = "net.closed";
      hint = "Check that the server is up and that nothing between cuts connections";
      break;
    default:
      break;
  }
  Error error = make_error(ErrorKind::kTransient, code, what, std::move(hint));
  const char* name = strerrorname_np(error_number);
  error.native_code = name != nullptr ? name : std::to_string(error_number);
  error.native_text = std::strerror(error_number);
  return error;
}

Result<std::unique_ptr<Stream>> Stream::dial(const OpContext& context, const std::string& host,
                                             std::uint16_t port, const DialOptions& options) {
  WHERRY_ASSIGN(const std::vector<Address> addresses,
                resolve(context, host, port, options.connect_timeout));
  const std::string where = place(host, port);
  Error last = resolve_error(host, EAI_NONAME);
  for (const Address& address : addresses) {
    auto stream = connect_to(context, address, where, options);
    if (stream.ok()) return stream;
    last = std::move(stream).error();
    if (last.kind == ErrorKind::kCancelled) break;
  }
  return last;
}

}  // namespace wherry::net
