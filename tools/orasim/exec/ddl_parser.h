// Shared pieces of the DDL parsers; only ddl_*.cpp include this.
#pragma once

#include "exec/ddl_statement.h"
#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {

struct GrantItem;  // ddl_privileges.cpp

class DdlParser {
 public:
  DdlParser(std::string_view sql, DdlEnvironment& environment)
      : p_(sql), sql_(sql), env_(environment) {}
  void execute();

 private:
  struct ObjectName {
    std::string owner, name;
    int pos = 0;
  };
  /// A table under construction: constraints come inline and out of line.
  struct TableBody {
    std::vector<ddl::ColumnSpec> columns;
    std::vector<ConstraintDef> constraints;
  };

  // Names and clauses.
  ObjectName object_name();
  std::vector<std::string> column_names();
  std::string expression_text();
  std::string string_literal();
  void skip_clause();  ///< one word or a balanced ( … )
  void skip_to_end();
  ddl::SequenceOptions sequence_options();

  // Constraints.
  bool constraint_starts() const;
  void out_of_line_constraint(TableBody& body);
  bool inline_constraint(TableBody& body, const std::string& column);
  void references(ConstraintDef& c);
  void constraint_state(ConstraintDef& c);
  void using_index(ConstraintDef& c);

  // Tables.
  void table_item(TableBody& body);
  DataType column_type();
  void column_definition(TableBody& body);
  void generated_clause(ddl::ColumnSpec& spec);
  void virtual_types(const std::vector<ColumnDef>& others, std::vector<ddl::ColumnSpec>& columns);
  void create_table(bool temporary);
  bool table_option(ddl::CreateTable& table);
  void partitions(ddl::CreateTable& table);
  PartitionDef partition_definition(std::uint32_t position);
  void create_as_select(ddl::CreateTable& table);
  void alter_table();
  void alter_add(const ObjectName& table);
  void alter_modify(const ObjectName& table);
  void modify_column(const ObjectName& table);
  void alter_drop(const ObjectName& table);
  void alter_rename(const ObjectName& table);
  void alter_state(const ObjectName& table, bool enabled);
  ddl::ConstraintRef constraint_ref();
  void check_existing_rows(const ObjectName& table, const std::vector<ConstraintDef>& added);
  void drop_table();

  // The rest.
  void create();
  void create_index(bool unique, bool bitmap);
  void create_sequence();
  void create_view(bool or_replace, bool is_forced);
  void describe_view(CodeDef& view, bool is_forced) const;
  void create_materialized_view();
  void create_synonym(bool is_public, bool or_replace);
  void create_code(const std::string& kind, bool or_replace);
  void create_user();
  /// `quotas`: tablespaces with a limit above nothing, or not.
  void user_options(UserDef& user, std::map<std::string, bool>& quotas);
  void quota(std::map<std::string, bool>& quotas);
  static void set_quotas(Catalog& catalog, const std::string& user,
                         const std::map<std::string, bool>& quotas);
  void alter();
  void alter_user();
  void drop();
  void comment();
  void truncate();
  void rename();
  void grant(bool revoke);
  void object_grant(const std::vector<GrantItem>& items, bool revoke);
  void system_grant(const std::vector<GrantItem>& items, bool revoke);
  void create_role();
  void drop_role();

  // Rights. ORA-01031, or `missing` for what the user does not see.
  void need(std::string_view system) const;
  void need_create(const std::string& owner, const std::string& what) const;
  void need_on(const ObjectName& object, ObjectKind kind, std::string_view privilege,
               const std::string& any, int missing = 942) const;
  void need_references(const ObjectName& parent, const std::vector<std::string>& columns) const;
  static bool holds_role(const Catalog& catalog, const std::string& holder,
                         const std::string& role);
  /// What a kind of code is called in privileges.
  static std::string right_for(const std::string& kind);

  // Redo (ddl_redo.cpp).
  void supplemental(const ObjectName& table, bool adds);
  std::optional<LogGroupKind> logged_columns();
  void log_group(LogGroupDef& group);
  void database_supplemental(bool adds);
  bool alter_log();
  bool alter_thread();
  bool alter_system_setting();

  /// The first change that a statement makes has it in the redo.
  void edit(const std::function<void(Catalog&)>& change) {
    env_.store->change_catalog(change, std::exchange(redo_text_, nullptr));
  }

  Parser p_;
  std::string_view sql_;
  DdlEnvironment& env_;
  const DdlText* redo_text_ = &env_.text;
};

}  // namespace orasim
