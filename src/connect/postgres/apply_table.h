// Target tables as the applier needs them: how a change names its row, what works on rows while we
// apply, and of each column what its parameters are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/native_type.h"
#include "connect/postgres/wire/encoder.h"

namespace wherry::postgres {

/// A column of the plan. Names are quoted.
struct ApplyColumn {
  std::string name;
  NativeType type;            ///< domains as their base type
  std::uint32_t oid = 0;      ///< of the base type
  std::uint32_t own_oid = 0;  ///< pg_attribute.atttypid
  std::string sql_type;       ///< the base type without modifier: "pg_catalog"."int4"
  std::string full_type;      ///< with modifier and domain
  std::size_t place = 0;      ///< among the table's columns, from 0, dropped ones left out
  std::string equals;         ///< its operator: "=", or with the schema of its type
  bool is_not_null = false;
  bool is_comparable = false;  ///< of a type that surely has that operator, also for hashing
  bool is_verbatim = false;    ///< cells are the server's own form: binary in kBytes, or text
  bool is_always_identity = false;
  /// An array of the type would not stay what it is in unnest (arrays, row types): values travel in
  /// rows of the table.
  bool has_no_array = false;
  wire::ColumnEncoder encoder;  ///< to be copied; values of native plans go verbatim
};

/// ApplyTable::native. Immutable.
struct NativeApplyTable : std::enable_shared_from_this<NativeApplyTable> {
  schema::TablePlanPtr plan;
  std::string name;                      ///< quoted, with schema
  std::vector<ApplyColumn> columns;      ///< by the plan
  std::vector<std::size_t> identity;     ///< ApplyTable::identity
  std::vector<std::string> all_columns;  ///< quoted; those of the table that are not generated
  std::vector<std::string> rest;         ///< of these, those that the plan has not
  std::vector<std::uint32_t> row_types;  ///< atttypid of every column, for rows of the table
  std::uint32_t row_oid = 0;             ///< of the table's row type
  bool has_identity_index = false;       ///< a unique one
  bool as_replica = false;               ///< changed under session_replication_role = replica
  /// A key update must be one UPDATE: foreign keys of other tables that point here, or triggers,
  /// would take a DELETE and an INSERT for what they are.
  bool is_watched = false;
  /// Some column's type has no binary form, so the server does not even take NULL in it, nor a row
  /// of the table with NULL there: where all rows have NULL, verbatim columns go as text.
  bool has_text_type = false;
};

using NativeTablePtr = std::shared_ptr<const NativeApplyTable>;

/// REQUIRES: the table has it.
const NativeApplyTable& native_of(const connect::ApplyTable& table);
/// What was described, with another identity.
NativeTablePtr with_identity(const connect::ApplyTable& table,
                             const std::vector<std::size_t>& identity);

/// connect::TargetApply::describe(). `as_replica`: what the lanes are.
Result<std::vector<connect::ApplyTable>> describe_apply_tables(
    OpContext& context, Connection& connection, const std::vector<schema::TablePlanPtr>& plans,
    bool as_replica, bool refuses_null_characters);

}  // namespace wherry::postgres
