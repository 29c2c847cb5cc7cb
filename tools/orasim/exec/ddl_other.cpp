// CREATE, ALTER and DROP of everything but tables; COMMENT, TRUNCATE, GRANT and the rest.
#include <cctype>

#include "exec/ddl_parser.h"
#include "exec/object_types.h"

namespace orasim {
namespace {

/// Kinds of stored code, two-word ones first.
struct CodeKind {
  std::initializer_list<std::string_view> words;
  const char* kind;
};

const CodeKind kCodeKinds[] = {
    {{"PACKAGE", "BODY"}, "PACKAGE BODY"},
    {{"TYPE", "BODY"}, "TYPE BODY"},
    {{"PROCEDURE"}, "PROCEDURE"},
    {{"FUNCTION"}, "FUNCTION"},
    {{"PACKAGE"}, "PACKAGE"},
    {{"TRIGGER"}, "TRIGGER"},
    {{"TYPE"}, "TYPE"},
    {{"DIMENSION"}, "DIMENSION"},
    {{"LIBRARY"}, "LIBRARY"},
    {{"DIRECTORY"}, "DIRECTORY"},
    {{"JAVA", "SOURCE"}, "JAVA SOURCE"},
};

/// Row sources of Oracle's that the simulator does not have: their views are kept, with errors.
bool has_other_row_source(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text.find("JSON_TABLE") != std::string::npos || text.find("XMLTABLE") != std::string::npos;
}

}  // namespace

std::string DdlParser::string_literal() {
  const ast::ExprPtr literal = p_.expression();
  if (literal->kind != ast::ExprKind::kLiteral) p_.fail(1780);
  return literal->value.is_null() ? std::string() : std::string(literal->value.text());
}

void DdlParser::create_index(bool unique, bool bitmap) {
  const ObjectName name = object_name();
  p_.expect("ON", 969);
  const ObjectName table = object_name();
  IndexDef index;
  index.owner = name.owner;
  index.name = name.name;
  index.unique = unique;
  index.bitmap = bitmap;
  if (name.owner != env_.access->user()) need("CREATE ANY INDEX");
  need_on(table, ObjectKind::kTable, "INDEX", "CREATE ANY INDEX");
  p_.expect_symbol("(", 906);
  do {
    const int begin = p_.peek().begin;
    const ast::ExprPtr column = p_.expression();
    const bool plain = column->kind == ast::ExprKind::kName && column->name.size() == 1;
    index.columns.push_back(plain ? column->name[0].text : p_.source(begin, p_.last_end()));
    const bool descending = p_.accept("DESC");
    if (!descending) p_.accept("ASC");
    index.descending.push_back(descending);
  } while (p_.accept_symbol(","));
  p_.expect_symbol(")", 907);
  skip_to_end();
  edit([&](Catalog& c) { ddl::create_index(c, table.owner, table.name, index); });
}

void DdlParser::create_sequence() {
  const ObjectName name = object_name();
  need_create(name.owner, "SEQUENCE");
  const ddl::SequenceOptions options = sequence_options();
  p_.expect_end();
  edit([&](Catalog& c) { ddl::create_sequence(c, name.owner, name.name, options); });
}

/// What the dictionary shows of the columns; FORCE keeps a query that does not compile.
void DdlParser::describe_view(CodeDef& view, bool is_forced) const {
  std::vector<ColumnInfo> described;
  try {
    described = env_.describe(view.text, view.owner);
    if (!view.view_columns.empty() && view.view_columns.size() != described.size()) raise(1730);
  } catch (const OraError&) {
    if (!is_forced && !has_other_row_source(view.text)) throw;
    view.valid = false;
    return;
  }
  for (std::size_t i = 0; i < described.size(); ++i) {
    ColumnDef& column = view.columns.emplace_back();
    column.name = view.view_columns.empty() ? described[i].name : view.view_columns[i];
    column.type = described[i].type;
    column.nullable = described[i].nullable;
  }
}

void DdlParser::create_view(bool or_replace, bool is_forced) {
  const ObjectName name = object_name();
  need_create(name.owner, "VIEW");
  CodeDef code;
  code.owner = name.owner;
  code.name = name.name;
  code.kind = "VIEW";
  if (p_.accept_symbol("(")) {
    do {
      if (!constraint_starts()) code.view_columns.push_back(p_.identifier().text);
      while (!p_.is_symbol(",") && !p_.is_symbol(")") && !p_.at_end()) skip_clause();
    } while (p_.accept_symbol(","));
    p_.expect_symbol(")", 907);
  }
  while (!p_.is_word("AS") && !p_.at_end()) skip_clause();
  p_.expect("AS");
  code.text = p_.source(p_.peek().begin, static_cast<int>(sql_.size()));
  describe_view(code, is_forced);
  edit([&](Catalog& c) { ddl::create_code(c, code, or_replace); });
}

void DdlParser::create_materialized_view() {
  if (p_.accept("LOG")) return skip_to_end();
  const ObjectName name = object_name();
  need_create(name.owner, "MATERIALIZED VIEW");
  CodeDef code;
  code.owner = name.owner;
  code.name = name.name;
  code.kind = "MATERIALIZED VIEW";
  while (!p_.is_word("AS") && !p_.at_end()) skip_clause();
  p_.expect("AS");
  code.text = p_.source(p_.peek().begin, static_cast<int>(sql_.size()));
  edit([&](Catalog& c) { ddl::create_code(c, code, false); });
}

void DdlParser::create_synonym(bool is_public, bool or_replace) {
  const ObjectName name = object_name();
  if (is_public) {
    need("CREATE PUBLIC SYNONYM");
  } else {
    need_create(name.owner, "SYNONYM");
  }
  p_.expect("FOR");
  const ObjectName target = object_name();
  CodeDef code;
  code.owner = is_public ? "PUBLIC" : name.owner;
  code.name = name.name;
  code.kind = "SYNONYM";
  code.table_owner = target.owner;
  code.table_name = target.name;
  edit([&](Catalog& c) { ddl::create_code(c, code, or_replace); });
}

void DdlParser::create_code(const std::string& kind, bool or_replace) {
  const ObjectName name = object_name();
  if (kind == "DIRECTORY") {
    need("CREATE ANY DIRECTORY");
  } else {
    need_create(name.owner, right_for(kind));
  }
  CodeDef code;
  code.owner = name.owner;
  code.name = name.name;
  code.kind = kind;
  code.text = std::string(sql_);
  if (kind == "DIRECTORY") {
    // Directories belong to nobody, which is to say to SYS; the text is the path.
    code.owner = "SYS";
    p_.expect("AS");
    code.text = string_literal();
    p_.expect_end();
  }
  if (kind == "TYPE") {
    code.type =
        parse_type_definition(p_, *env_.store->catalog(), code.owner, code.name, env_.release);
  }
  if (kind == "TRIGGER") {
    // … ON table: the first ON behind the timing and the events.
    while (!p_.at_end() && !p_.is_word("ON")) skip_clause();
    if (p_.accept("ON") && !p_.is_word("SCHEMA") && !p_.is_word("DATABASE")) {
      const ObjectName table = object_name();
      code.table_owner = table.owner;
      code.table_name = table.name;
    }
  }
  edit([&](Catalog& c) { ddl::create_code(c, code, or_replace); });
}

/// QUOTA { UNLIMITED | size } ON tablespace; no size at all takes the right away.
void DdlParser::quota(std::map<std::string, bool>& quotas) {
  const bool is_some = p_.peek().text != "0";
  while (!p_.at_end() && !p_.is_word("ON")) p_.take();
  p_.expect("ON", 969);
  quotas[p_.identifier().text] = is_some;
}

void DdlParser::set_quotas(Catalog& catalog, const std::string& user,
                           const std::map<std::string, bool>& quotas) {
  for (const auto& [space, is_some] : quotas) {
    std::vector<std::string>& list = privileges::edit(catalog, user).quotas;
    std::erase(list, space);
    if (is_some) list.push_back(space);
  }
}

void DdlParser::user_options(UserDef& user, std::map<std::string, bool>& quotas) {
  while (!p_.at_end()) {
    if (p_.accept_words({"IDENTIFIED", "BY"})) {
      const Token& token = p_.peek();
      if (token.kind == TokenKind::kString) {
        user.password = string_literal();
      } else {
        // Unquoted passwords keep their case, unlike names.
        const int begin = token.begin;
        p_.take();
        user.password = p_.source(begin, p_.last_end());
        if (user.password.size() > 1 && user.password.front() == '"') {
          user.password = user.password.substr(1, user.password.size() - 2);
        }
      }
    } else if (p_.accept("QUOTA")) {
      quota(quotas);
    } else if (p_.accept_words({"ACCOUNT", "LOCK"})) {
      user.locked = true;
    } else if (p_.accept_words({"ACCOUNT", "UNLOCK"})) {
      user.locked = false;
    } else if (p_.accept_words({"PASSWORD", "EXPIRE"})) {
      user.expired = true;
    } else {
      skip_clause();
    }
  }
}

void DdlParser::create_user() {
  need("CREATE USER");
  UserDef user;
  user.name = p_.identifier().text;
  std::map<std::string, bool> quotas;
  user_options(user, quotas);
  edit([&](Catalog& c) {
    ddl::create_user(c, user);
    set_quotas(c, user.name, quotas);
  });
}

void DdlParser::alter_user() {
  const std::string name = p_.identifier().text;
  // One's own password is the only thing that needs no right.
  if (name != env_.access->user() || !p_.is_word("IDENTIFIED")) need("ALTER USER");
  const auto catalog = env_.store->catalog();
  const auto found = catalog->users.find(name);
  if (found == catalog->users.end()) raise(1918);
  UserDef user = *found->second;
  const std::string old_password = user.password;
  user.expired = false;
  const bool was_expired = found->second->expired;
  std::map<std::string, bool> quotas;
  user_options(user, quotas);
  if (user.password == old_password && !user.expired) user.expired = was_expired;
  edit([&](Catalog& c) {
    ddl::alter_user(c, user);
    set_quotas(c, name, quotas);
  });
}

void DdlParser::create() {
  const bool or_replace = p_.accept_words({"OR", "REPLACE"});
  const bool is_forced =
      !p_.accept("NOFORCE") && !p_.accept_words({"NO", "FORCE"}) && p_.accept("FORCE");
  p_.accept("EDITIONABLE") || p_.accept("NONEDITIONABLE");
  const bool is_public = p_.accept("PUBLIC");
  if (p_.accept_words({"GLOBAL", "TEMPORARY"}) || p_.accept_words({"PRIVATE", "TEMPORARY"})) {
    p_.expect("TABLE");
    return create_table(true);
  }
  if (p_.accept("TABLE")) return create_table(false);
  if (p_.accept_words({"UNIQUE", "INDEX"})) return create_index(true, false);
  if (p_.accept_words({"BITMAP", "INDEX"})) return create_index(false, true);
  if (p_.accept("INDEX")) return create_index(false, false);
  if (p_.accept("SEQUENCE")) return create_sequence();
  if (p_.accept_words({"MATERIALIZED", "VIEW"})) return create_materialized_view();
  if (p_.accept("VIEW")) return create_view(or_replace, is_forced);
  if (p_.accept("SYNONYM")) return create_synonym(is_public, or_replace);
  if (p_.accept("USER")) return create_user();
  for (const CodeKind& code : kCodeKinds) {
    if (p_.accept_words(code.words)) return create_code(code.kind, or_replace);
  }
  if (p_.accept("ROLE")) return create_role();
  // Profiles and the like hold nothing that a migration reads.
  for (const std::string word : {"PROFILE", "TABLESPACE", "CONTEXT", "CLUSTER"}) {
    if (!p_.accept(word)) continue;
    need((word == "CONTEXT" ? "CREATE ANY " : "CREATE ") + word);
    return skip_to_end();
  }
  p_.fail(901);
}

void DdlParser::alter() {
  if (p_.accept("TABLE")) return alter_table();
  if (p_.accept("USER")) return alter_user();
  if (p_.accept("SEQUENCE")) {
    const ObjectName name = object_name();
    need_on(name, ObjectKind::kSequence, "ALTER", "ALTER ANY SEQUENCE", 2289);
    const ddl::SequenceOptions options = sequence_options();
    p_.expect_end();
    return edit([&](Catalog& c) { ddl::alter_sequence(c, name.owner, name.name, options); });
  }
  if (p_.accept("TRIGGER")) {
    const ObjectName name = object_name();
    need_on(name, ObjectKind::kCode, {}, "ALTER ANY TRIGGER", 4080);
    if (p_.is_word("COMPILE")) return skip_to_end();
    const bool enabled = p_.accept("ENABLE");
    if (!enabled) p_.expect("DISABLE");
    return edit([&](Catalog& c) { ddl::set_trigger_state(c, name.owner, name.name, enabled); });
  }
  if (p_.accept("INDEX")) {
    const ObjectName name = object_name();
    need_on(name, ObjectKind::kTable, {}, "ALTER ANY INDEX", 1418);
    if (!p_.accept_words({"RENAME", "TO"})) return skip_to_end();
    const std::string to = p_.identifier().text;
    return edit([&](Catalog& c) { ddl::rename_index(c, name.owner, name.name, to); });
  }
  if (p_.is_word("SYSTEM")) need("ALTER SYSTEM");
  if (p_.is_word("DATABASE")) need("ALTER DATABASE");
  // SET UNDO_RETENTION = 0 drops all there is.
  if (p_.accept_words({"SYSTEM", "SET", "UNDO_RETENTION"})) {
    p_.accept_symbol("=");
    const std::string text = p_.peek().text;
    const auto number = Number::parse(text);
    const auto secs = number ? number->to_int() : std::nullopt;
    if (secs == 0) {
      env_.store->discard_undo_before(env_.store->current_scn());
    } else if (secs && *secs > 0) {
      env_.store->set_undo_retention(std::chrono::seconds(*secs));
    }
    return skip_to_end();
  }
  if (alter_log()) return;
  // Compilation, other system and database settings change nothing here.
  for (const std::string_view word :
       {"VIEW", "PROCEDURE", "FUNCTION", "PACKAGE", "TYPE", "SYSTEM", "DATABASE", "MATERIALIZED",
        "PROFILE", "ROLE", "SYNONYM", "TABLESPACE", "DIMENSION"}) {
    if (p_.accept(word)) return skip_to_end();
  }
  p_.fail(940);
}

void DdlParser::drop() {
  if (p_.accept("TABLE")) return drop_table();
  if (p_.accept("INDEX")) {
    const ObjectName name = object_name();
    need_on(name, ObjectKind::kTable, {}, "DROP ANY INDEX", 1418);
    skip_to_end();
    return edit([&](Catalog& c) { ddl::drop_index(c, name.owner, name.name); });
  }
  if (p_.accept("SEQUENCE")) {
    const ObjectName name = object_name();
    need_on(name, ObjectKind::kSequence, {}, "DROP ANY SEQUENCE", 2289);
    return edit([&](Catalog& c) { ddl::drop_sequence(c, name.owner, name.name); });
  }
  if (p_.accept("USER")) {
    need("DROP USER");
    const std::string name = p_.identifier().text;
    const bool cascade = p_.accept("CASCADE");
    return edit([&](Catalog& c) { ddl::drop_user(c, name, cascade); });
  }
  const bool is_public = p_.accept("PUBLIC");
  std::string kind;
  if (p_.accept_words({"MATERIALIZED", "VIEW"})) {
    if (p_.accept("LOG")) return skip_to_end();
    kind = "MATERIALIZED VIEW";
  } else if (p_.accept("VIEW")) {
    kind = "VIEW";
  } else if (p_.accept("SYNONYM")) {
    kind = "SYNONYM";
  } else {
    for (const CodeKind& code : kCodeKinds) {
      if (!p_.accept_words(code.words)) continue;
      kind = code.kind;
      break;
    }
  }
  if (kind.empty()) {
    if (p_.accept("ROLE")) return drop_role();
    for (const std::string word : {"PROFILE", "TABLESPACE", "CONTEXT"}) {
      if (!p_.accept(word)) continue;
      need((word == "CONTEXT" ? "DROP ANY " : "DROP ") + word);
      return skip_to_end();
    }
    p_.fail(950);
  }
  ObjectName name = object_name();
  if (kind == "DIRECTORY") {
    need("DROP ANY DIRECTORY");
    name.owner = "SYS";
  } else if (is_public) {
    need("DROP PUBLIC SYNONYM");
  } else {
    const bool is_view = kind == "VIEW" || kind == "MATERIALIZED VIEW";
    need_on(name, is_view ? ObjectKind::kView : ObjectKind::kCode, {},
            "DROP ANY " + right_for(kind), is_view ? 942 : 4043);
  }
  skip_to_end();
  edit([&](Catalog& c) { ddl::drop_code(c, is_public ? "PUBLIC" : name.owner, name.name, kind); });
}

void DdlParser::comment() {
  p_.expect("ON");
  if (p_.accept("COLUMN")) {
    const int pos = p_.peek().begin;
    const ast::Name name = p_.qualified_name();
    if (name.size() < 2) raise(1780, pos);
    p_.expect("IS");
    const std::string text = string_literal();
    const std::string owner = name.size() > 2 ? name[0].text : env_.current_schema;
    need_on({owner, name[name.size() - 2].text, pos}, ObjectKind::kTable, {}, "COMMENT ANY TABLE");
    return edit([&](Catalog& c) {
      ddl::comment_on_column(c, owner, name[name.size() - 2].text, name.back().text, text);
    });
  }
  if (p_.accept_words({"MATERIALIZED", "VIEW"})) return skip_to_end();
  p_.expect("TABLE");
  const ObjectName name = object_name();
  need_on(name, ObjectKind::kTable, {}, "COMMENT ANY TABLE");
  p_.expect("IS");
  const std::string text = string_literal();
  edit([&](Catalog& c) { ddl::comment_on_table(c, name.owner, name.name, text); });
}

void DdlParser::truncate() {
  p_.expect("TABLE", 3290);
  const ObjectName name = object_name();
  skip_to_end();
  const auto table = env_.store->catalog()->find_table(name.owner, name.name);
  if (!table) raise(942, name.pos);
  need_on(name, ObjectKind::kTable, {}, "DROP ANY TABLE");
  env_.store->truncate(*table, std::exchange(redo_text_, nullptr));
}

void DdlParser::rename() {
  const std::string from = p_.identifier().text;
  p_.expect("TO");
  const std::string to = p_.identifier().text;
  edit([&](Catalog& c) { ddl::rename_table(c, env_.current_schema, from, to); });
}

void DdlParser::execute() {
  if (p_.accept("CREATE")) return create();
  if (p_.accept("ALTER")) return alter();
  if (p_.accept("DROP")) return drop();
  if (p_.accept("COMMENT")) return comment();
  if (p_.accept("TRUNCATE")) return truncate();
  if (p_.accept("RENAME")) return rename();
  if (p_.accept("GRANT")) return grant(false);
  if (p_.accept("REVOKE")) return grant(true);
  for (const std::string_view word : {"ANALYZE", "AUDIT", "NOAUDIT", "PURGE"}) {
    if (p_.accept(word)) return skip_to_end();
  }
  p_.fail(900);
}

void execute_ddl(std::string_view sql, DdlEnvironment& environment) {
  DdlParser(sql, environment).execute();
}

}  // namespace orasim
