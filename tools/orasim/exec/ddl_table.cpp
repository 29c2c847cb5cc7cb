// CREATE TABLE: columns, constraints, partitions.
#include "exec/ddl_parser.h"
#include "exec/object_types.h"

namespace orasim {

DdlParser::ObjectName DdlParser::object_name() {
  const int pos = p_.peek().begin;
  const ast::Name name = p_.qualified_name();
  ObjectName out;
  out.pos = pos;
  out.name = name.back().text;
  out.owner = name.size() > 1 ? name[name.size() - 2].text : env_.current_schema;
  return out;
}

std::vector<std::string> DdlParser::column_names() {
  std::vector<std::string> names;
  for (const ast::Ident& column : p_.identifier_list()) names.push_back(column.text);
  return names;
}

std::string DdlParser::expression_text() {
  const int begin = p_.peek().begin;
  p_.expression();
  return p_.source(begin, p_.last_end());
}

void DdlParser::skip_clause() {
  if (p_.is_symbol("(")) {
    p_.skip_parentheses();
  } else {
    p_.take();
  }
}

void DdlParser::skip_to_end() {
  while (!p_.at_end()) skip_clause();
}

// ---- constraints
// ---------------------------------------------------------------------------------

bool DdlParser::constraint_starts() const {
  return p_.is_word("CONSTRAINT") || (p_.is_word("PRIMARY") && p_.is_word("KEY", 1)) ||
         (p_.is_word("UNIQUE") && p_.is_symbol("(", 1)) ||
         (p_.is_word("FOREIGN") && p_.is_word("KEY", 1)) ||
         (p_.is_word("CHECK") && p_.is_symbol("(", 1));
}

void DdlParser::references(ConstraintDef& c) {
  const ObjectName parent = object_name();
  c.kind = ConstraintKind::kForeignKey;
  c.ref_owner = parent.owner;
  c.ref_table = parent.name;
  if (p_.is_symbol("(")) c.ref_columns = column_names();
  need_references(parent, c.ref_columns);
  if (p_.accept_words({"ON", "DELETE"})) {
    if (p_.accept("CASCADE")) {
      c.delete_rule = "CASCADE";
    } else {
      p_.expect("SET");
      p_.expect("NULL");
      c.delete_rule = "SET NULL";
    }
  }
}

void DdlParser::using_index(ConstraintDef& c) {
  // USING INDEX [name | (create index …) | attributes]
  if (p_.is_symbol("(")) {
    p_.skip_parentheses();
    return;
  }
  static constexpr std::string_view kAttributes[] = {
      "TABLESPACE", "PCTFREE",  "INITRANS",   "MAXTRANS", "STORAGE", "LOGGING",
      "NOLOGGING",  "COMPUTE",  "ENABLE",     "DISABLE",  "LOCAL",   "GLOBAL",
      "REVERSE",    "COMPRESS", "NOCOMPRESS", "SORT",     "NOSORT"};
  bool is_attribute = p_.at_end() || p_.is_symbol(",") || p_.is_symbol(")");
  for (const auto word : kAttributes) is_attribute = is_attribute || p_.is_word(word);
  if (!is_attribute) c.index_name = object_name().name;
}

void DdlParser::constraint_state(ConstraintDef& c) {
  for (;;) {
    if (p_.accept("ENABLE")) {
      c.enabled = true;
    } else if (p_.accept("DISABLE")) {
      c.enabled = c.validated = false;
    } else if (p_.accept("VALIDATE")) {
      c.validated = true;
    } else if (p_.accept("NOVALIDATE")) {
      c.validated = false;
    } else if (p_.accept_words({"NOT", "DEFERRABLE"})) {
      c.deferrable = false;
    } else if (p_.accept("DEFERRABLE")) {
      c.deferrable = true;
    } else if (p_.accept("INITIALLY")) {
      c.initially_deferred = p_.is_word("DEFERRED");
      c.deferrable = c.deferrable || c.initially_deferred;
      p_.take();
    } else if (p_.accept("RELY") || p_.accept("NORELY")) {
      continue;
    } else if (p_.accept_words({"USING", "INDEX"})) {
      using_index(c);
    } else if (p_.accept("TABLESPACE") || p_.accept("PCTFREE") || p_.accept("INITRANS")) {
      p_.take();
    } else {
      return;
    }
  }
}

void DdlParser::out_of_line_constraint(TableBody& body) {
  ConstraintDef c;
  if (p_.accept("CONSTRAINT")) c.name = p_.identifier().text;
  if (p_.accept_words({"PRIMARY", "KEY"})) {
    c.kind = ConstraintKind::kPrimaryKey;
    c.columns = column_names();
  } else if (p_.accept("UNIQUE")) {
    c.kind = ConstraintKind::kUnique;
    c.columns = column_names();
  } else if (p_.accept_words({"FOREIGN", "KEY"})) {
    c.columns = column_names();
    p_.expect("REFERENCES");
    references(c);
  } else {
    p_.expect("CHECK", 904);
    c.kind = ConstraintKind::kCheck;
    c.check_sql = p_.parenthesized_text();
  }
  constraint_state(c);
  body.constraints.push_back(std::move(c));
}

bool DdlParser::inline_constraint(TableBody& body, const std::string& column) {
  ConstraintDef c;
  c.columns = {column};
  if (p_.accept("CONSTRAINT")) c.name = p_.identifier().text;
  if (p_.accept_words({"NOT", "NULL"})) {
    c.is_not_null = true;
    c.check_sql = "\"" + column + "\" IS NOT NULL";
  } else if (p_.accept("NULL")) {
    return true;
  } else if (p_.accept_words({"PRIMARY", "KEY"})) {
    c.kind = ConstraintKind::kPrimaryKey;
  } else if (p_.accept("UNIQUE")) {
    c.kind = ConstraintKind::kUnique;
  } else if (p_.accept("REFERENCES")) {
    references(c);
  } else if (p_.accept("CHECK")) {
    c.check_sql = p_.parenthesized_text();
  } else {
    if (!c.name.empty()) p_.fail(2253);
    return false;
  }
  constraint_state(c);
  body.constraints.push_back(std::move(c));
  return true;
}

// ---- columns
// -------------------------------------------------------------------------------------

ddl::SequenceOptions DdlParser::sequence_options() {
  ddl::SequenceOptions o;
  const auto number = [this] {
    const bool negative = p_.accept_symbol("-");
    const std::int64_t begin = p_.peek().begin;
    p_.take();
    const auto n = Number::parse(p_.source(static_cast<int>(begin), p_.last_end()));
    if (!n) p_.fail(1722);
    return negative ? n->negated() : *n;
  };
  for (;;) {
    if (p_.accept_words({"START", "WITH"})) {
      if (p_.accept_words({"LIMIT", "VALUE"})) continue;
      o.start_with = number();
    } else if (p_.accept_words({"INCREMENT", "BY"})) {
      o.increment_by = number();
    } else if (p_.accept("MINVALUE")) {
      o.min_value = number();
    } else if (p_.accept("MAXVALUE")) {
      o.max_value = number();
    } else if (p_.accept("NOMINVALUE")) {
      o.no_min_value = true;
    } else if (p_.accept("NOMAXVALUE")) {
      o.no_max_value = true;
    } else if (p_.accept("CYCLE")) {
      o.cycle = true;
    } else if (p_.accept("NOCYCLE")) {
      o.cycle = false;
    } else if (p_.accept("ORDER")) {
      o.order = true;
    } else if (p_.accept("NOORDER")) {
      o.order = false;
    } else if (p_.accept("CACHE")) {
      o.cache_size = static_cast<std::uint32_t>(p_.integer(1722));
    } else if (p_.accept("NOCACHE")) {
      o.cache_size = 0;
    } else if (p_.accept("RESTART")) {
      o.restart = true;
    } else if (p_.accept("KEEP") || p_.accept("NOKEEP") || p_.accept("SCALE") ||
               p_.accept("NOSCALE") || p_.accept("GLOBAL") || p_.accept("SESSION")) {
      continue;
    } else {
      return o;
    }
  }
}

/// GENERATED … AS IDENTITY or AS ( expression ), behind GENERATED.
void DdlParser::generated_clause(ddl::ColumnSpec& spec) {
  if (p_.accept_words({"BY", "DEFAULT"})) {
    if (p_.accept_words({"ON", "NULL"})) spec.column.default_on_null = true;
  } else {
    p_.accept("ALWAYS");
    spec.column.identity_always = true;
  }
  p_.expect("AS");
  if (p_.accept("IDENTITY")) {
    spec.column.is_identity = true;
    spec.identity.emplace();
    if (p_.accept_symbol("(")) {
      spec.identity = sequence_options();
      p_.expect_symbol(")", 907);
    } else {
      spec.identity = sequence_options();
    }
    return;
  }
  spec.column.identity_always = false;
  spec.column.is_virtual = true;
  spec.column.virtual_sql = p_.parenthesized_text();
  p_.accept("VIRTUAL");
}

/// Virtual columns that were declared without a type get that of their expression.
void DdlParser::virtual_types(const std::vector<ColumnDef>& others,
                              std::vector<ddl::ColumnSpec>& columns) {
  TableDef table;
  table.columns = others;
  for (const ddl::ColumnSpec& spec : columns) table.columns.push_back(spec.column);
  for (ddl::ColumnSpec& spec : columns) {
    if (!spec.column.is_virtual || spec.column.type.size_bytes != 0) continue;
    spec.column.type = env_.type_of(table, spec.column.virtual_sql);
  }
}

DataType DdlParser::column_type() {
  const int position = p_.peek().begin;
  DataType type = p_.column_type();
  resolve_type(type, *env_.store->catalog(), env_.current_schema, env_.release, position);
  return type;
}

void DdlParser::column_definition(TableBody& body) {
  ddl::ColumnSpec spec;
  spec.column.name = p_.identifier().text;
  const bool untyped = p_.is_word("GENERATED") || p_.is_word("AS");
  if (!untyped) spec.column.type = column_type();
  const std::string name = spec.column.name;
  for (;;) {
    if (p_.accept("DEFAULT")) {
      if (p_.accept_words({"ON", "NULL"})) spec.column.default_on_null = true;
      spec.column.default_sql = expression_text();
    } else if (p_.accept("GENERATED")) {
      generated_clause(spec);
    } else if (p_.is_word("AS") && p_.is_symbol("(", 1)) {
      p_.take();
      spec.column.is_virtual = true;
      spec.column.virtual_sql = p_.parenthesized_text();
      p_.accept("VIRTUAL");
    } else if (p_.accept("INVISIBLE")) {
      spec.column.is_hidden = true;
    } else if (p_.accept("VISIBLE") || p_.accept("SORT")) {
      continue;
    } else if (!inline_constraint(body, name)) {
      break;
    }
  }
  body.columns.push_back(std::move(spec));
}

void DdlParser::table_item(TableBody& body) {
  if (constraint_starts()) {
    out_of_line_constraint(body);
  } else if (p_.accept("SUPPLEMENTAL")) {
    while (!p_.is_symbol(",") && !p_.is_symbol(")") && !p_.at_end()) skip_clause();
  } else {
    column_definition(body);
  }
}

// ---- the table
// -----------------------------------------------------------------------------------

PartitionDef DdlParser::partition_definition(std::uint32_t position) {
  PartitionDef part;
  part.position = position;
  part.name = "SYS_P" + std::to_string(position);
  if (!p_.is_word("VALUES") && !p_.is_symbol(",") && !p_.is_symbol(")")) {
    part.name = p_.identifier().text;
  }
  if (p_.accept("VALUES")) {
    if (p_.accept("LESS")) p_.expect("THAN");
    part.high_value = p_.parenthesized_text();
  }
  while (!p_.is_symbol(",") && !p_.is_symbol(")") && !p_.at_end()) skip_clause();
  return part;
}

void DdlParser::partitions(ddl::CreateTable& table) {
  const Token& kind = p_.peek();
  table.partition_by = p_.is_word("RANGE") ? "RANGE" : p_.is_word("LIST") ? "LIST" : "HASH";
  static_cast<void>(kind);
  p_.take();
  table.partition_columns = column_names();
  if (p_.accept("INTERVAL")) {
    table.interval_partitioned = true;
    table.interval_sql = p_.parenthesized_text();
  }
  if (p_.accept("AUTOMATIC")) return;
  if (p_.accept_words({"SUBPARTITION", "BY"})) {
    p_.take();
    p_.skip_parentheses();
    while (!p_.is_symbol("(") && !p_.at_end()) p_.take();
  }
  if (p_.accept("PARTITIONS")) {
    const std::int64_t count = p_.integer(14150);
    for (std::int64_t i = 1; i <= count; ++i) {
      table.partitions.push_back({"SYS_P" + std::to_string(i), {}, static_cast<std::uint32_t>(i)});
    }
    return;
  }
  p_.expect_symbol("(", 906);
  do {
    p_.expect("PARTITION", 14150);
    table.partitions.push_back(
        partition_definition(static_cast<std::uint32_t>(table.partitions.size()) + 1));
  } while (p_.accept_symbol(","));
  p_.expect_symbol(")", 907);
}

bool DdlParser::table_option(ddl::CreateTable& table) {
  if (p_.at_end() || p_.is_word("AS")) return false;
  // LOB (c) STORE AS …, NESTED TABLE c STORE AS t, XMLTYPE COLUMN c STORE AS …: not AS SELECT.
  if (p_.accept_words({"STORE", "AS"})) return true;
  if (p_.accept("ORGANIZATION")) {
    table.index_organized = p_.is_word("INDEX");
    p_.take();
  } else if (p_.accept_words({"ON", "COMMIT"})) {
    table.preserves_rows = p_.accept("PRESERVE");
    if (!table.preserves_rows) p_.expect("DELETE");
    p_.expect("ROWS");
  } else if (p_.is_word("PARTITION") && p_.is_word("BY", 1)) {
    p_.take();
    p_.take();
    partitions(table);
  } else {
    skip_clause();
  }
  return true;
}

void DdlParser::create_as_select(ddl::CreateTable& table) {
  const std::string query = p_.source(p_.peek().begin, static_cast<int>(sql_.size()));
  const std::vector<ColumnInfo> described = env_.describe(query, env_.current_schema);
  const bool named = !table.columns.empty();
  if (named && table.columns.size() != described.size()) raise(1730);
  for (std::size_t i = 0; i < described.size(); ++i) {
    if (is_long(described[i].type.type)) raise(997);
    if (!named) {
      table.columns.emplace_back();
      table.columns[i].column.name = described[i].name;
    }
    table.columns[i].column.type = described[i].type;
    if (described[i].type.type == Type::kChar && described[i].type.size_bytes == 0) {
      table.columns[i].column.type.size_bytes = table.columns[i].column.type.size_chars = 1;
    }
  }
  edit([&](Catalog& c) { ddl::create_table(c, table); });
  env_.run("INSERT INTO \"" + table.owner + "\".\"" + table.name + "\" " + query);
}

void DdlParser::create_table(bool temporary) {
  const ObjectName name = object_name();
  need_create(name.owner, "TABLE");
  ddl::CreateTable table;
  table.owner = name.owner;
  table.name = name.name;
  table.temporary = temporary;
  TableBody body;
  if (p_.accept_symbol("(")) {
    do {
      // A column list without types belongs to AS SELECT.
      const bool bare = !constraint_starts() && (p_.is_symbol(",", 1) || p_.is_symbol(")", 1));
      if (bare) {
        body.columns.emplace_back();
        body.columns.back().column.name = p_.identifier().text;
      } else {
        table_item(body);
      }
    } while (p_.accept_symbol(","));
    p_.expect_symbol(")", 907);
  }
  virtual_types({}, body.columns);
  table.columns = std::move(body.columns);
  table.constraints = std::move(body.constraints);
  while (table_option(table)) {
  }
  if (p_.accept("AS")) return create_as_select(table);
  p_.expect_end();
  if (table.columns.empty()) p_.fail(906);
  edit([&](Catalog& c) { ddl::create_table(c, table); });
}

}  // namespace orasim
