// What a stream must do while nobody reads it: tell the walsender that we live, before it gives up,
// and write the heartbeat.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "connect/postgres/replication.h"
#include "connect/postgres/settings.h"

namespace wherry::postgres {

/// How far a stream is; written by its thread, read by the pulse's too.
struct StreamProgress {
  std::atomic<wire::Lsn> received{0};
  std::atomic<wire::Lsn> flushed{0};
};

class Pulse {
 public:
  /// Both `link` and `progress` outlive it. Sends a status every `interval`.
  Pulse(const ConnectionSettings& settings, std::string slot, ReplicationLink& link,
        const StreamProgress& progress, std::chrono::milliseconds interval, Logger log);
  ~Pulse() = default;

 private:
  void run(const std::stop_token& stop);
  void try_beat(const std::stop_token& stop);

  const ConnectionSettings settings_;
  const std::string slot_;
  ReplicationLink& link_;
  const StreamProgress& progress_;
  const std::chrono::milliseconds interval_;
  Logger log_;
  std::unique_ptr<Connection> beating_;
  std::jthread thread_;  ///< last: ends before what it uses
};

}  // namespace wherry::postgres
