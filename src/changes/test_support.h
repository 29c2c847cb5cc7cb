// Changes to test with: shapes, rows of every kind and state of cell, and their text.
#pragma once

#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "core/decimal.h"
#include "core/spill_file.h"

namespace wherry::changes::testing {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;

class TempDirectory {
 public:
  TempDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "wherry-test-XXXXXX").string();
    path_ = ::mkdtemp(path.data());
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline connect::RowShapePtr shape_of(std::uint32_t id, const std::string& name,
                                     std::size_t columns) {
  auto shape = std::make_shared<connect::RowShape>();
  shape->id = id;
  shape->source = {"APP", "OLD_" + name};
  shape->definition.table = {"APP", name};
  for (std::size_t i = 0; i < columns; ++i) {
    schema::ColumnDef column;
    column.name = "C" + std::to_string(i);
    column.native_type = "numeric(12,2)";
    column.type.kind = schema::TypeKind::kDecimal;
    column.type.precision = 12;
    column.type.scale = 2;
    column.nullable = i != 0;
    if (i == 1) column.number_scale = -2;
    column.number = static_cast<std::uint32_t>(i + 1);
    shape->definition.columns.push_back(column);
  }
  shape->definition.keys.push_back({"PK", {"C0"}, true});
  shape->identity = {0};
  shape->table_id = 4711;
  shape->fills.resize(columns);
  if (columns > 1) {
    shape->fills[0].kind = connect::ColumnFill::Kind::kByRow;
    shape->fills[1] = {connect::ColumnFill::Kind::kValue, "1.5"};
  }
  return shape;
}

inline Cell blank_cell(CellKind kind, CellState state) {
  Cell cell;
  std::memset(&cell, 0, sizeof cell);
  cell.kind = kind;
  cell.state = state;
  return cell;
}
inline Cell int_cell(std::int64_t value) {
  Cell cell = blank_cell(CellKind::kInt64, CellState::kSet);
  cell.payload.i64 = value;
  return cell;
}
inline Cell text_cell(ChangeBatch& batch, std::string_view value,
                      CellState state = CellState::kSet) {
  Cell cell = blank_cell(CellKind::kText, state);
  cell.payload.ptr = batch.arena().copy(value.data(), value.size());
  cell.size_bytes = static_cast<std::uint32_t>(value.size());
  return cell;
}
inline Cell large_cell(ChangeBatch& batch, const std::filesystem::path& directory,
                       std::string_view value) {
  auto file = SpillFile::create(directory).value();
  (void)file->append("before").ok();
  const SpilledValue place{file.get(), file->size_bytes(), value.size()};
  (void)file->append(value).ok();
  Cell cell = blank_cell(CellKind::kBytes, CellState::kSpilled);
  cell.payload.ptr = batch.arena().copy(&place, sizeof place);
  batch.keep(file);
  return cell;
}
inline Cell any_cell(ChangeBatch& batch, std::mt19937& random) {
  const auto kind = static_cast<CellKind>(random() % 11);
  Cell cell = blank_cell(kind, CellState::kSet);
  const unsigned dice = random() % 10;
  if (dice == 0) return blank_cell(kind, CellState::kNull);
  if (dice == 1) return blank_cell(kind, CellState::kUnchanged);
  if (dice == 2) return text_cell(batch, "day 30 of February", CellState::kUnreadable);
  const auto number = static_cast<std::int64_t>((std::uint64_t{random()} << 32) | random());
  if (kind == CellKind::kText || kind == CellKind::kBytes) {
    cell = text_cell(batch, std::string(random() % 300, static_cast<char>(random())));
    cell.kind = kind;
  } else if (kind == CellKind::kDecimal) {
    const std::string digits = std::to_string(number) + "." + std::to_string(random() % 1000);
    cell.payload.ptr = reinterpret_cast<const std::byte*>(parse_decimal(digits, batch.arena()));
  } else if (kind == CellKind::kFloat32) {
    cell.payload.f32 = static_cast<float>(number);
  } else if (kind == CellKind::kFloat64) {
    cell.payload.f64 = static_cast<double>(number);
  } else {
    cell.payload.i64 = kind == CellKind::kBool ? number & 1 : number;
  }
  if (kind == CellKind::kTimestamp || kind == CellKind::kTimestampTz) {
    cell.nanos = static_cast<std::uint16_t>(random() % 1000);
  }
  if (kind == CellKind::kTimestampTz || kind == CellKind::kIntervalDs) {
    cell.extra = static_cast<std::int32_t>(random() % 1000) - 500;
  }
  return cell;
}

/// A row change; its cells are given.
inline Change& add_row(ChangeBatch& batch, ChangeKind kind, const connect::RowShapePtr& shape,
                       const std::vector<Cell>& before, const std::vector<Cell>& after) {
  const auto place = [&](const std::vector<Cell>& cells) -> const Cell* {
    if (cells.empty()) return nullptr;
    Cell* out = batch.allocate_cells(cells.size());
    std::copy(cells.begin(), cells.end(), out);
    return out;
  };
  batch.keep(shape);
  const Cell* old_row = place(before);
  const Cell* new_row = place(after);
  Change& change = batch.add(kind);
  change.shape = shape.get();
  change.before = old_row;
  change.after = new_row;
  return change;
}
inline void add_insert(ChangeBatch& batch, const connect::RowShapePtr& shape, std::int64_t id) {
  add_row(batch, ChangeKind::kInsert, shape, {}, {int_cell(id)});
}
inline connect::CommitInfo commit_info(std::uint64_t order) {
  connect::CommitInfo info;
  info.order = order;
  info.position.text = "at:" + std::to_string(order);
  info.time =
      std::chrono::system_clock::time_point(std::chrono::microseconds(1'700'000'000'000'123));
  info.transaction_id = "tx" + std::to_string(order);
  if (order % 3 == 0) info.user = "USER" + std::to_string(order);
  return info;
}

inline std::string text_of(const Cell& cell) {
  std::string out =
      std::string(name_of(cell.kind)) + "/" + std::to_string(static_cast<int>(cell.state)) + ":";
  if (cell.state == CellState::kUnreadable) return out + std::string(cell.bytes());
  if (cell.state == CellState::kSpilled) {
    const auto& value = *reinterpret_cast<const SpilledValue*>(cell.payload.ptr);
    std::string bytes(static_cast<std::size_t>(value.size_bytes), '\0');
    (void)value.file->read(value.offset_bytes,
                           std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
    return out + bytes;
  }
  if (cell.state != CellState::kSet) return out;
  switch (cell.kind) {
    case CellKind::kText:
    case CellKind::kBytes:
      return out + std::string(cell.bytes());
    case CellKind::kDecimal:
      return out + to_text(decimal_of(cell)) + "s" + std::to_string(decimal_of(cell).scale);
    case CellKind::kFloat32:
      return out + std::to_string(cell.payload.f32);
    default:
      return out + std::to_string(cell.payload.i64) + "," + std::to_string(cell.nanos) + "," +
             std::to_string(cell.extra);
  }
}

/// One line a record.
inline std::vector<std::string> texts_of(const ChangeBatch& batch) {
  std::vector<std::string> out;
  for (const Change& change : batch.changes()) {
    std::string line = std::to_string(static_cast<int>(change.kind));
    if (change.has_commit()) {
      const connect::CommitInfo& commit = batch.commit(change);
      line += " " + std::to_string(commit.order) + " " + commit.position.text + " " +
              std::to_string(commit.time.time_since_epoch().count()) + " " + commit.transaction_id +
              (commit.user.empty() ? "" : " by " + commit.user);
    }
    if (change.shape != nullptr) {
      line += " " + schema::to_text(change.shape->definition.table) + " of " +
              schema::to_text(change.shape->source);
    }
    line += change.cascades ? " cascades" : "";
    line += change.restarts_identity ? " restarts" : "";
    if (change.kind == ChangeKind::kDdl) {
      line += " " + std::to_string(static_cast<int>(change.ddl)) + " " + std::string(change.text);
    }
    for (const Cell* cells : {change.before, change.after}) {
      line += " |";
      for (std::size_t i = 0; cells && i < change.shape->definition.columns.size(); ++i) {
        line += " " + text_of(cells[i]);
      }
    }
    out.push_back(line);
  }
  return out;
}

/// Some transactions with everything that a stream can have.
inline void add_any_changes(ChangeBatch& batch, std::mt19937& random,
                            const std::filesystem::path& directory, std::uint64_t order,
                            std::size_t most_large_bytes = 600'000) {
  const std::size_t columns = 1 + random() % 6;
  const auto shape =
      shape_of(static_cast<std::uint32_t>(columns), "T" + std::to_string(columns), columns);
  const auto row = [&] {
    std::vector<Cell> cells(columns);
    for (Cell& cell : cells) cell = any_cell(batch, random);
    if (random() % 8 == 0) {
      cells[0] = large_cell(batch, directory, std::string(random() % most_large_bytes, 'L'));
    }
    return cells;
  };
  if (random() % 2 == 0) {
    batch.add(ChangeKind::kBegin);
  } else {
    batch.add(ChangeKind::kBegin, commit_info(order));
  }
  for (unsigned left = random() % 20; left > 0; --left) {
    switch (random() % 6) {
      case 0:
        add_row(batch, ChangeKind::kDelete, shape, row(), {});
        break;
      case 1:
        add_row(batch, ChangeKind::kUpdate, shape, row(), row());
        break;
      case 2:
        add_row(batch, ChangeKind::kUpdate, shape, {}, row());
        break;
      case 3: {
        Change& truncate = add_row(batch, ChangeKind::kTruncate, shape, {}, {});
        truncate.cascades = random() % 2 == 0;
        truncate.restarts_identity = random() % 2 == 0;
        break;
      }
      case 4: {
        Change& ddl = add_row(batch, ChangeKind::kDdl, shape, {}, {});
        if (random() % 2 == 0) ddl.shape = nullptr;
        ddl.text = "ALTER TABLE T ADD C int";
        ddl.ddl = connect::DdlKind::kCreateTable;
        break;
      }
      default:
        add_row(batch, ChangeKind::kInsert, shape, {}, row());
        break;
    }
  }
  batch.add(ChangeKind::kCommit, commit_info(order));
  if (random() % 4 == 0) batch.add(ChangeKind::kHeartbeat, commit_info(order));
}

}  // namespace wherry::changes::testing
