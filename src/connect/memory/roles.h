// The roles of the in-process connector, made by connector.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>

#include "connect/api/connector.h"
#include "connect/memory/database.h"
#include "core/spill_file.h"

namespace wherry::memory {

struct ReadOptions {
  std::size_t inline_limit_bytes = 65536;
  std::size_t batch_rows = std::numeric_limits<std::size_t>::max();
  bool is_order_wrong = false;
  bool evaluates_filters = true;
  std::string spill_directory;
};

/// kPositionLost when `at` is forgotten.
Result<std::unique_ptr<connect::SnapshotSource>> make_snapshot(Database& database,
                                                               ReadOptions options,
                                                               const Position& at);
std::unique_ptr<connect::TargetLoader> make_loader(Database& database);
std::unique_ptr<connect::TargetApply> make_apply(Database& database);
std::unique_ptr<connect::ChangeSource> make_change_source(Database& database, ReadOptions options);

/// "memory:12": the state after the twelfth commit.
Position position_of(std::uint64_t version);
Result<std::uint64_t> version_of(const Position& at);
/// A kSpilled cell with the value's bytes in `spill`, which is made and kept by `keeper` (a batch)
/// when it is not there yet.
template <class Keeper>
Result<Cell> spilled_cell(const Value& value, CellKind kind, const ReadOptions& options,
                          Keeper& keeper, std::shared_ptr<SpillFile>& spill) {
  if (!spill) {
    const auto directory = options.spill_directory.empty()
                               ? std::filesystem::temp_directory_path()
                               : std::filesystem::path(options.spill_directory);
    WHERRY_ASSIGN(spill, SpillFile::create(directory));
    keeper.keep(spill);
  }
  const SpilledValue place{spill.get(), spill->size_bytes(), value.bytes.size()};
  WHERRY_TRY(spill->append(value.bytes));
  Cell cell = to_cell(Value::integer(0), CellKind::kInt64, keeper.arena());
  cell.kind = kind;
  cell.state = CellState::kSpilled;
  cell.payload.ptr = keeper.arena().copy(&place, sizeof place);
  return cell;
}

}  // namespace wherry::memory
