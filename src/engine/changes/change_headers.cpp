#include "engine/changes/change_headers.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/civil_time.h"

namespace wherry::engine {
namespace {

/// Room for the changes of a transaction in the 19 digits of the counter.
constexpr std::uint64_t kMostChanges = 1'000'000'000;

std::int64_t micros_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

/// "2024050110111234": to hundredths of a second.
std::string sequence_time(std::chrono::system_clock::time_point time) {
  const CivilTime civil = civil_from_micros(micros_of(time));
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}{:02}", civil.year, civil.month, civil.day,
                     civil.hour, civil.minute, civil.second, civil.microsecond / 10'000);
}

transform::Operation operation_of(connect::ChangeKind kind) {
  switch (kind) {
    case connect::ChangeKind::kUpdate:
      return transform::Operation::kUpdate;
    case connect::ChangeKind::kDelete:
      return transform::Operation::kDelete;
    default:
      return transform::Operation::kInsert;
  }
}

}  // namespace

void ChangeHeaders::begin_after(const connect::Checkpoint& from) {
  transactions_ = from.sequence;
  newest_ = from.commit_time;
}

void ChangeHeaders::begin_transaction(const connect::CommitInfo& commit,
                                      const connect::ChangeSource* source) {
  ++transactions_;
  changes_ = 0;
  source_ = source;
  order_ = commit.order;
  header_.user = commit.user;
  header_.commit_time_us = header_.time_us = micros_of(commit.time);
  newest_ = std::max(newest_, commit.time);
  is_fresh_ = true;
}

const transform::RowHeader& ChangeHeaders::next(connect::ChangeKind kind) {
  if (is_fresh_) {
    header_.stream_position =
        source_ != nullptr ? source_->order_text(order_) : std::to_string(order_);
    is_fresh_ = false;
  }
  header_.operation = operation_of(kind);
  header_.change_sequence =
      fmt::format("{}{:019}", sequence_time(newest_), transactions_ * kMostChanges + ++changes_);
  return header_;
}

}  // namespace wherry::engine
