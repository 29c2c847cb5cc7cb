#include "engine/load_figures.h"

#include <algorithm>

namespace wherry::engine {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool is_over(TableState state) {
  return state != TableState::kBeforeLoad && state != TableState::kFullLoad;
}

/// What earlier runs have done of the table.
double share_before(const TableProgress& table) {
  const std::uint64_t before = table.bytes_before;
  if (before == 0) return 0;
  return ratio(before, std::max<std::uint64_t>(table.bytes, before)) *
         share_of(table).value_or(0.0);
}

}  // namespace

std::optional<double> share_of(const TableProgress& table) {
  // Until the key is there the table is not done.
  constexpr double kMostWhileRunning = 0.99;
  if (table.state == TableState::kTableCompleted) return 1.0;
  if (table.chunks > 1 && table.size_bytes > 0) {
    double share = ratio(table.done_bytes, table.size_bytes);
    const std::uint64_t durable = table.durable_bytes;
    // Bytes of cells are no bytes of blocks: what is done tells how they relate.
    if (durable > 0 && table.bytes > durable) share *= ratio(table.bytes, durable);
    return std::min(share, kMostWhileRunning);
  }
  if (table.state == TableState::kBeforeLoad) return 0.0;
  if (table.plan->estimated_rows == 0) return std::nullopt;
  return std::min(ratio(table.rows, table.plan->estimated_rows), kMostWhileRunning);
}

std::string_view slowest_side(std::chrono::nanoseconds wait_input,
                              std::chrono::nanoseconds wait_output) {
  constexpr std::chrono::milliseconds kEnough{200};
  if (wait_input + wait_output < kEnough) return {};
  if (wait_input > 2 * wait_output) return "source read";
  return wait_output > 2 * wait_input ? "target write" : "balanced";
}

LoadFigures figures_of(const LoadProgress& progress, std::chrono::duration<double> elapsed) {
  LoadFigures out;
  std::chrono::nanoseconds wait_input{0};
  std::chrono::nanoseconds wait_output{0};
  double weight = 0;
  double done = 0;
  double before = 0;
  for (const TableProgress& table : progress.tables()) {
    ++out.tables;
    const TableState state = table.state;
    out.tables_done += is_over(state) ? 1 : 0;
    out.tables_in_error += state == TableState::kTableError ? 1 : 0;
    out.rows += table.rows;
    out.bytes += table.bytes;
    out.rows_now += table.rows - std::min<std::uint64_t>(table.rows, table.rows_before);
    out.bytes_now += table.bytes - std::min<std::uint64_t>(table.bytes, table.bytes_before);
    wait_input += std::chrono::nanoseconds(table.wait_input_ns);
    wait_output += std::chrono::nanoseconds(table.wait_output_ns);
    // A table of unknown size counts as a small one.
    const double size = std::max(static_cast<double>(table.size_bytes), 8192.0);
    weight += size;
    done += size * (is_over(state) ? 1.0 : share_of(table).value_or(0.0));
    before += size * share_before(table);
  }
  if (weight == 0) return out;
  out.share = done / weight;
  out.slowest = slowest_side(wait_input, wait_output);
  const double gained = (done - before) / weight;
  constexpr double kLeastGain = 0.005;
  if (gained > kLeastGain) out.remaining_seconds = elapsed.count() * (1.0 - out.share) / gained;
  return out;
}

}  // namespace wherry::engine
