// An orasim of a test's own: started on a free port of 127.0.0.1, gone when the test program ends,
// however it ends. Accounts: hr with the password Harbour-1.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::test {

class Orasim {
 public:
  static constexpr std::string_view kUser = "hr";
  static constexpr std::string_view kPassword = "Harbour-1";
  static constexpr std::string_view kService = "TEST";

  /// Returns once it listens. Aborts with the program's words when it cannot be started: a test
  /// that needs it must not be skipped.
  explicit Orasim(const std::vector<std::string>& arguments = {});
  ~Orasim();
  Orasim(const Orasim&) = delete;
  Orasim& operator=(const Orasim&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// "127.0.0.1:PORT/SERVICE".
  [[nodiscard]] std::string easy_connect(std::string_view service = kService) const;
  /// "oracle://hr@127.0.0.1:PORT/TEST".
  [[nodiscard]] std::string url() const;

  /// Dies at once; connections are closed by the kernel.
  void kill();
  /// Lives on without answering anybody, as a host does whose network is gone.
  void freeze();
  /// Goes on after freeze().
  void thaw();
  /// After kill(): a new process with the same arguments; the port changes.
  void restart();
  /// Returns once a client's bytes wait for a frozen server; false after the limit.
  [[nodiscard]] bool has_unread_bytes(std::chrono::seconds limit) const;

 private:
  void start();

  std::vector<std::string> arguments_;
  pid_t process_ = -1;
  int port_ = 0;
};

}  // namespace wherry::test
