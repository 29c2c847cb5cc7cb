#include "store/supplemental.h"

#include <algorithm>

namespace orasim {
namespace {

/// VARCHAR2 above this many bytes and RAW above half of it are kept as LOBs.
constexpr std::uint32_t kOldStringLimit = 4000;

bool is_plain(const DataType& type) {
  if (is_lob_payload(type.type) || type.type == Type::kLong || type.type == Type::kLongRaw) {
    return false;
  }
  if (type.type == Type::kRaw) return type.size_bytes <= kOldStringLimit / 2;
  return type.type != Type::kVarchar2 || type.size_bytes <= kOldStringLimit;
}

bool are_not_null(const TableDef& table, const std::vector<std::string>& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
    const int at = table.find_column(name);
    return at >= 0 && !table.columns[static_cast<std::size_t>(at)].nullable;
  });
}

}  // namespace

LoggingPlan::LoggingPlan(const TableDef& table, const SupplementalLogging& database) {
  for (const ColumnDef& column : table.columns) {
    if (column.is_virtual) continue;
    stored_.add(column.stored_slot);
    if (is_plain(column.type)) plain_.add(column.stored_slot);
  }
  bool all = database.all, key = database.primary_key;
  bool unique = database.unique, foreign = database.foreign_key;
  for (const LogGroupDef& group : table.log_groups) {
    all = all || group.kind == LogGroupKind::kAll;
    key = key || group.kind == LogGroupKind::kPrimaryKey;
    unique = unique || group.kind == LogGroupKind::kUnique;
    foreign = foreign || group.kind == LogGroupKind::kForeignKey;
    if (group.kind == LogGroupKind::kUser) add_group(table, group.columns, group.always);
  }
  if (all) always_.add(plain_);
  if (key) add_identification(table);
  if (unique) add_key_groups(table, ConstraintKind::kUnique);
  if (foreign) add_key_groups(table, ConstraintKind::kForeignKey);
}

SlotSet LoggingPlan::slots_of(const TableDef& table,
                              const std::vector<std::string>& columns) const {
  SlotSet slots;
  for (const std::string& name : columns) {
    const int at = table.find_column(name);
    if (at < 0) continue;
    const std::uint16_t slot = table.columns[static_cast<std::size_t>(at)].stored_slot;
    if (plain_.has(slot)) slots.add(slot);
  }
  return slots;
}

void LoggingPlan::add_group(const TableDef& table, const std::vector<std::string>& columns,
                            bool always) {
  if (always) {
    always_.add(slots_of(table, columns));
  } else {
    conditional_.push_back(slots_of(table, columns));
  }
}

void LoggingPlan::add_key_groups(const TableDef& table, ConstraintKind kind) {
  for (const ConstraintDef& c : table.constraints) {
    if (c.kind == kind && c.enabled) add_group(table, c.columns, false);
  }
  if (kind != ConstraintKind::kUnique) return;
  for (const IndexDef& index : table.indexes) {
    if (index.unique && !index.function_based) add_group(table, index.columns, false);
  }
}

/// The primary key; without one a unique key of NOT NULL columns; without that all columns.
void LoggingPlan::add_identification(const TableDef& table) {
  for (const ConstraintDef& c : table.constraints) {
    if (c.kind == ConstraintKind::kPrimaryKey && c.enabled)
      return add_group(table, c.columns, true);
  }
  for (const ConstraintDef& c : table.constraints) {
    const bool is_key = c.kind == ConstraintKind::kUnique && c.enabled;
    if (is_key && are_not_null(table, c.columns)) return add_group(table, c.columns, true);
  }
  for (const IndexDef& index : table.indexes) {
    const bool is_key = index.unique && !index.function_based;
    if (is_key && are_not_null(table, index.columns)) return add_group(table, index.columns, true);
  }
  always_.add(plain_);
}

SlotSet LoggingPlan::logged(const SlotSet& changed) const {
  SlotSet slots = changed.within(plain_);
  for (const SlotSet& group : conditional_) {
    if (group.meets(changed)) slots.add(group);
  }
  slots.add(always_);
  return slots;
}

}  // namespace orasim
