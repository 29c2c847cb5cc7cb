// ALTER TABLE and DROP TABLE.
#include "exec/ddl_parser.h"

namespace orasim {

ddl::ConstraintRef DdlParser::constraint_ref() {
  ddl::ConstraintRef ref;
  if (p_.accept_words({"PRIMARY", "KEY"})) {
    ref.primary_key = true;
  } else if (p_.accept("UNIQUE")) {
    ref.unique_columns = column_names();
  } else {
    p_.accept("CONSTRAINT");
    ref.name = p_.identifier().text;
  }
  return ref;
}

void DdlParser::check_existing_rows(const ObjectName& table,
                                    const std::vector<ConstraintDef>& added) {
  const auto def = env_.store->catalog()->find_table(table.owner, table.name);
  for (const ConstraintDef& c : added) {
    if (def && c.kind == ConstraintKind::kCheck && !c.is_not_null && c.enabled && c.validated) {
      env_.check_rows(*def, c);
    }
  }
}

void DdlParser::alter_add(const ObjectName& table) {
  TableBody body;
  if (p_.accept("PARTITION")) {
    const PartitionDef part = partition_definition(0);
    skip_to_end();
    return edit([&](Catalog& c) { ddl::add_partition(c, table.owner, table.name, part); });
  }
  if (p_.accept("SUPPLEMENTAL")) return supplemental(table, true);
  if (p_.accept_symbol("(")) {
    do {
      table_item(body);
    } while (p_.accept_symbol(","));
    p_.expect_symbol(")", 907);
    if (body.constraints.size() == 1 && body.columns.empty()) constraint_state(body.constraints[0]);
  } else {
    p_.accept("COLUMN");
    table_item(body);
  }
  const auto before = env_.store->catalog()->find_table(table.owner, table.name);
  virtual_types(before->columns, body.columns);
  for (ddl::ColumnSpec& spec : body.columns) {
    ColumnDef& column = spec.column;
    if (!column.default_sql.empty())
      column.value_when_absent = env_.evaluate(column.default_sql, column.type);
  }
  check_existing_rows(table, body.constraints);
  edit([&](Catalog& c) {
    if (body.columns.empty()) {
      ddl::add_constraints(c, table.owner, table.name, body.constraints);
    } else {
      ddl::add_columns(c, table.owner, table.name, body.columns, body.constraints);
    }
  });
}

void DdlParser::modify_column(const ObjectName& table) {
  ddl::ModifyColumn change;
  change.name = p_.identifier().text;
  const auto clause_follows = [this] {
    for (const std::string_view word : {"DEFAULT", "NOT", "NULL", "CONSTRAINT", "GENERATED", "DROP",
                                        "INVISIBLE", "VISIBLE", "CHECK", "PRIMARY", "UNIQUE"}) {
      if (p_.is_word(word)) return true;
    }
    return p_.at_end() || p_.is_symbol(",") || p_.is_symbol(")");
  };
  if (!clause_follows()) change.type = column_type();
  TableBody body;
  for (;;) {
    if (p_.accept("DEFAULT")) {
      if (p_.accept_words({"ON", "NULL"})) change.default_on_null = true;
      change.default_sql = expression_text();
    } else if (p_.accept("GENERATED")) {
      ddl::ColumnSpec spec;
      generated_clause(spec);
      change.identity = spec.identity;
      change.default_on_null = spec.column.default_on_null;
    } else if (p_.accept_words({"DROP", "IDENTITY"})) {
      change.drop_identity = true;
    } else if (p_.accept("INVISIBLE")) {
      change.is_hidden = true;
    } else if (p_.accept("VISIBLE")) {
      change.is_hidden = false;
    } else if (p_.accept("NULL")) {
      change.not_null = false;
    } else if (!inline_constraint(body, change.name)) {
      break;
    }
  }
  std::vector<ConstraintDef> others;
  for (ConstraintDef& c : body.constraints) {
    if (c.is_not_null) {
      change.not_null = true;
      change.not_null_name = c.name;
    } else {
      others.push_back(std::move(c));
    }
  }
  check_existing_rows(table, others);
  edit([&](Catalog& c) {
    ddl::modify_column(c, table.owner, table.name, change);
    if (!others.empty()) ddl::add_constraints(c, table.owner, table.name, others);
  });
}

void DdlParser::alter_modify(const ObjectName& table) {
  if (p_.accept("CONSTRAINT") || (p_.is_word("PRIMARY") && p_.is_word("KEY", 1))) {
    const ddl::ConstraintRef ref = constraint_ref();
    ConstraintDef state;
    constraint_state(state);
    return edit([&](Catalog& c) {
      ddl::set_constraint_state(c, table.owner, table.name, ref, state.enabled, state.validated,
                                false);
    });
  }
  if (p_.accept_symbol("(")) {
    do {
      modify_column(table);
    } while (p_.accept_symbol(","));
    p_.expect_symbol(")", 907);
  } else {
    modify_column(table);
  }
}

void DdlParser::alter_drop(const ObjectName& table) {
  if (p_.accept("PARTITION")) {
    const std::string name = p_.identifier().text;
    skip_to_end();
    return edit([&](Catalog& c) { ddl::drop_partition(c, table.owner, table.name, name); });
  }
  if (p_.accept("SUPPLEMENTAL")) return supplemental(table, false);
  if (p_.is_word("COLUMN") || p_.is_symbol("(") || p_.is_word("UNUSED")) {
    if (p_.accept_words({"UNUSED", "COLUMNS"})) return skip_to_end();
    std::vector<std::string> names;
    if (p_.accept("COLUMN")) {
      names.push_back(p_.identifier().text);
    } else {
      names = column_names();
    }
    const bool cascade = p_.accept_words({"CASCADE", "CONSTRAINTS"});
    return edit([&](Catalog& c) { ddl::drop_columns(c, table.owner, table.name, names, cascade); });
  }
  const ddl::ConstraintRef ref = constraint_ref();
  const bool cascade = p_.accept("CASCADE");
  const bool keep = p_.accept_words({"KEEP", "INDEX"});
  if (!keep) p_.accept_words({"DROP", "INDEX"});
  edit([&](Catalog& c) { ddl::drop_constraint(c, table.owner, table.name, ref, cascade, keep); });
}

void DdlParser::alter_rename(const ObjectName& table) {
  if (p_.accept("TO")) {
    const std::string name = p_.identifier().text;
    return edit([&](Catalog& c) { ddl::rename_table(c, table.owner, table.name, name); });
  }
  const bool is_column = p_.accept("COLUMN");
  if (!is_column) p_.expect("CONSTRAINT");
  const std::string from = p_.identifier().text;
  p_.expect("TO");
  const std::string to = p_.identifier().text;
  edit([&](Catalog& c) {
    if (is_column) {
      ddl::rename_column(c, table.owner, table.name, from, to);
    } else {
      ddl::rename_constraint(c, table.owner, table.name, from, to);
    }
  });
}

void DdlParser::alter_state(const ObjectName& table, bool enabled) {
  if (p_.accept_words({"ALL", "TRIGGERS"})) {
    return edit(
        [&](Catalog& c) { ddl::set_all_trigger_states(c, table.owner, table.name, enabled); });
  }
  if (p_.is_word("ROW") || p_.is_word("TABLE")) return skip_to_end();  // ROW MOVEMENT, TABLE LOCK
  bool validated = enabled;
  if (p_.accept("VALIDATE")) validated = true;
  if (p_.accept("NOVALIDATE")) validated = false;
  const ddl::ConstraintRef ref = constraint_ref();
  const bool cascade = p_.accept("CASCADE");
  if (p_.is_word("USING") || p_.is_word("KEEP") || p_.is_word("DROP")) skip_to_end();
  if (enabled && validated) {
    const auto def = env_.store->catalog()->find_table(table.owner, table.name);
    for (const ConstraintDef& c : def->constraints) {
      if (c.name == ref.name && c.kind == ConstraintKind::kCheck && !c.is_not_null) {
        env_.check_rows(*def, c);
      }
    }
  }
  edit([&](Catalog& c) {
    ddl::set_constraint_state(c, table.owner, table.name, ref, enabled, validated, cascade);
  });
}

void DdlParser::alter_table() {
  const ObjectName table = object_name();
  if (!env_.store->catalog()->find_table(table.owner, table.name)) raise(942, table.pos);
  need_on(table, ObjectKind::kTable, "ALTER", "ALTER ANY TABLE");
  while (!p_.at_end()) {
    if (p_.accept("ADD")) {
      alter_add(table);
    } else if (p_.accept("MODIFY")) {
      alter_modify(table);
    } else if (p_.accept("DROP")) {
      alter_drop(table);
    } else if (p_.accept("RENAME")) {
      alter_rename(table);
    } else if (p_.accept("ENABLE")) {
      alter_state(table, true);
    } else if (p_.accept("DISABLE")) {
      alter_state(table, false);
    } else if (p_.is_word("MOVE") || p_.is_word("SHRINK") || p_.is_word("PARALLEL") ||
               p_.is_word("NOPARALLEL") || p_.is_word("LOGGING") || p_.is_word("NOLOGGING") ||
               p_.is_word("CACHE") || p_.is_word("NOCACHE") || p_.is_word("READ") ||
               p_.is_word("SET") || p_.is_word("PCTFREE") || p_.is_word("COMPRESS") ||
               p_.is_word("NOCOMPRESS") || p_.is_word("INMEMORY") || p_.is_word("NO")) {
      skip_to_end();
    } else {
      p_.fail(1735);
    }
  }
}

void DdlParser::drop_table() {
  const ObjectName table = object_name();
  need_on(table, ObjectKind::kTable, {}, "DROP ANY TABLE");
  const bool cascade = p_.accept_words({"CASCADE", "CONSTRAINTS"});
  p_.accept("PURGE");
  p_.expect_end();
  edit([&](Catalog& c) { ddl::drop_table(c, table.owner, table.name, cascade); });
}

}  // namespace orasim
