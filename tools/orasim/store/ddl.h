// Catalog edits behind DDL: pure functions on the copy that Store::change_catalog hands out.
//
// Use: store.change_catalog([&](Catalog& c) { ddl::create_table(c, spec); });
// Names arrive as Oracle stores them: upper case unless they were quoted. An empty owner of a
// referenced table or of an index means the owner of the table at hand.
// Errors: Oracle's own (955, 942, 904, 2260, …); a throw leaves the store unchanged. Rules that
// need the rows (duplicate keys, NULLs, missing parents) are checked by the store afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace orasim::ddl {

/// What CREATE / ALTER SEQUENCE and GENERATED AS IDENTITY (…) may say. Unset: Oracle's default
/// (create) or unchanged (alter).
struct SequenceOptions {
  std::optional<Number> start_with, increment_by, min_value, max_value;
  bool no_min_value = false, no_max_value = false;
  std::optional<bool> cycle, order;
  std::optional<std::uint32_t> cache_size;  ///< 0: NOCACHE
  bool restart = false;                     ///< ALTER SEQUENCE … RESTART
};

/// A column as CREATE TABLE / ADD gives it. `column.nullable`, slots and the identity sequence's
/// name are derived; NOT NULL goes into the list of constraints.
struct ColumnSpec {
  ColumnDef column;
  std::optional<SequenceOptions> identity;  ///< set: column.is_identity is set too
};

/// Constraints are given as ConstraintDef: empty name = generated SYS_Cnnnnnn; NOT NULL is kCheck
/// with is_not_null and one column; a foreign key without ref_columns means the primary key of the
/// referenced table; index_name is what USING INDEX names.
struct CreateTable {
  std::string owner, name;
  std::vector<ColumnSpec> columns;
  std::vector<ConstraintDef> constraints;
  std::string comment;
  bool index_organized = false;
  bool temporary = false;
  bool preserves_rows = false;
  std::string partition_by;
  std::vector<std::string> partition_columns;
  std::vector<PartitionDef> partitions;
  bool interval_partitioned = false;
  std::string interval_sql;
};

/// Names one constraint of a table: by name, or PRIMARY KEY, or UNIQUE (columns).
struct ConstraintRef {
  std::string name;  ///< empty: by kind
  bool primary_key = false;
  std::vector<std::string> unique_columns;
};

struct ModifyColumn {
  std::string name;
  std::optional<DataType> type;
  std::optional<std::string> default_sql;  ///< "" or "NULL" drops the default
  std::optional<bool> default_on_null;
  std::optional<bool> not_null;  ///< true: NOT NULL, false: NULL
  std::string not_null_name;     ///< CONSTRAINT name NOT NULL; empty: generated
  bool drop_identity = false;
  std::optional<bool> is_hidden;  ///< INVISIBLE, VISIBLE
  std::optional<SequenceOptions> identity;
};

// Tables. All throw 942 when the table is not there.
void create_table(Catalog&, const CreateTable&);
void drop_table(Catalog&, const std::string& owner, const std::string& name,
                bool cascade_constraints);
void rename_table(Catalog&, const std::string& owner, const std::string& name,
                  const std::string& new_name);
/// New data_object_id: the old rows are gone for every later reader. 2266 while an enabled foreign
/// key of another table points here.
void truncate_table(Catalog&, const std::string& owner, const std::string& name);
void add_columns(Catalog&, const std::string& owner, const std::string& table,
                 const std::vector<ColumnSpec>&, const std::vector<ConstraintDef>&);
void modify_column(Catalog&, const std::string& owner, const std::string& table,
                   const ModifyColumn&);
void drop_columns(Catalog&, const std::string& owner, const std::string& table,
                  const std::vector<std::string>& names, bool cascade_constraints);
void rename_column(Catalog&, const std::string& owner, const std::string& table,
                   const std::string& name, const std::string& new_name);

// Constraints.
void add_constraints(Catalog&, const std::string& owner, const std::string& table,
                     const std::vector<ConstraintDef>&);
void drop_constraint(Catalog&, const std::string& owner, const std::string& table,
                     const ConstraintRef&, bool cascade, bool keep_index);
/// ENABLE / DISABLE [NO]VALIDATE; `cascade` disables dependent foreign keys too.
void set_constraint_state(Catalog&, const std::string& owner, const std::string& table,
                          const ConstraintRef&, bool enabled, bool validated, bool cascade);
void rename_constraint(Catalog&, const std::string& owner, const std::string& table,
                       const std::string& name, const std::string& new_name);

// Supplemental log groups. ORA-32588 for a kind that is there already, ORA-02264 for a name that
// is taken, ORA-32587 for a group that is not there.
void add_log_group(Catalog&, const std::string& owner, const std::string& table, LogGroupDef);
/// `name` is that of a user's group.
void drop_log_group(Catalog&, const std::string& owner, const std::string& table, LogGroupKind,
                    const std::string& name);

// Partitions (the definition only; rows are not placed by partition).
void add_partition(Catalog&, const std::string& owner, const std::string& table,
                   const PartitionDef&);
void drop_partition(Catalog&, const std::string& owner, const std::string& table,
                    const std::string& partition);

// Indexes. `index.owner` empty: the table's owner.
void create_index(Catalog&, const std::string& table_owner, const std::string& table,
                  const IndexDef&);
void drop_index(Catalog&, const std::string& owner, const std::string& name);
void rename_index(Catalog&, const std::string& owner, const std::string& name,
                  const std::string& new_name);

// Sequences.
void create_sequence(Catalog&, const std::string& owner, const std::string& name,
                     const SequenceOptions&);
void alter_sequence(Catalog&, const std::string& owner, const std::string& name,
                    const SequenceOptions&);
void drop_sequence(Catalog&, const std::string& owner, const std::string& name);

// Comments; an empty text drops the comment. comment_on_table also takes views.
void comment_on_table(Catalog&, const std::string& owner, const std::string& table,
                      const std::string& text);
void comment_on_column(Catalog&, const std::string& owner, const std::string& table,
                       const std::string& column, const std::string& text);

/// Views, triggers, procedures, functions, packages, package bodies, types, synonyms, materialized
/// views: `code.kind` as ALL_OBJECTS.OBJECT_TYPE names it. A public synonym has owner PUBLIC.
/// object_id and times are filled in. Without `or_replace` a taken name gives 955.
void create_code(Catalog&, const CodeDef& code, bool or_replace);
/// 942 (views), 4043, 4080 (triggers), 1434 / 1432 (synonyms), 12003 (materialized views).
void drop_code(Catalog&, const std::string& owner, const std::string& name,
               const std::string& kind);
void set_trigger_state(Catalog&, const std::string& owner, const std::string& name, bool enabled);
/// ALTER TABLE … ENABLE / DISABLE ALL TRIGGERS.
void set_all_trigger_states(Catalog&, const std::string& owner, const std::string& table,
                            bool enabled);

// Users. create_user throws 1920, the others 1918. drop_user without cascade throws 1922 when the
// user owns anything.
void create_user(Catalog&, const UserDef&);
void alter_user(Catalog&, const UserDef&);
void drop_user(Catalog&, const std::string& name, bool cascade);

/// Which table an index belongs to; nullptr when there is no such index.
std::shared_ptr<const TableDef> find_index(const Catalog&, std::string_view owner,
                                           std::string_view name, const IndexDef** index = nullptr);

}  // namespace orasim::ddl
