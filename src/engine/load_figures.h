// What is left of a load and how long it will take, from what is durable and what is under way.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/full_load.h"

namespace wherry::engine {

/// The part of a table that is loaded, 0 to 1: by the size of its chunks; a table in one chunk by
/// its rows and the source's statistics, which may be old. nullopt: nobody knows.
std::optional<double> share_of(const TableProgress& table);

struct LoadFigures {
  std::uint64_t tables = 0, tables_done = 0, tables_in_error = 0;
  std::uint64_t rows = 0, bytes = 0;          ///< sent; those of earlier runs of these tables too
  std::uint64_t rows_now = 0, bytes_now = 0;  ///< of this run
  double share = 0;                           ///< of all tables, 0 to 1
  std::optional<double> remaining_seconds;
  /// "source read", "target write", "balanced"; empty: too early to tell.
  std::string_view slowest;
};

/// `elapsed` since this run began to load.
LoadFigures figures_of(const LoadProgress& progress, std::chrono::duration<double> elapsed);

/// Which side readers and writers have waited for.
std::string_view slowest_side(std::chrono::nanoseconds wait_input,
                              std::chrono::nanoseconds wait_output);

}  // namespace wherry::engine
