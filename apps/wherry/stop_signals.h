// SIGINT and SIGTERM as a stop request. Made before any other thread, so that all inherit the mask
// and only the waiting thread receives them.
#pragma once

#include <stop_token>
#include <thread>

namespace wherry::app {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::thread waiter_;
};

}  // namespace wherry::app
