// Comments, code kept as text, users.
#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

[[noreturn]] void throw_missing(const CodeDef& code) {
  if (code.kind == "VIEW") throw OraError(942, "table or view does not exist");
  if (code.kind == "TRIGGER") throw OraError(4080, "trigger '" + code.name + "' does not exist");
  if (code.kind == "MATERIALIZED VIEW") {
    throw OraError(12003, "materialized view or zonemap \"" + code.owner + "\".\"" + code.name +
                              "\" does not exist");
  }
  if (code.kind == "SYNONYM" && code.owner == "PUBLIC") {
    throw OraError(1432, "public synonym to be dropped does not exist");
  }
  if (code.kind == "SYNONYM") {
    throw OraError(1434, "private synonym to be dropped does not exist");
  }
  throw OraError(4043, "object " + code.name + " does not exist");
}

void check_code_name_free(const Catalog& c, const CodeDef& code) {
  if (code.kind == "TRIGGER") {
    if (c.find_code(code.owner, code.name, code.kind) != nullptr) {
      throw OraError(4081, "trigger '" + code.name + "' already exists");
    }
  } else if (code.kind == "PACKAGE BODY" || code.kind == "TYPE BODY") {
    if (c.find_code(code.owner, code.name, code.kind) != nullptr) {
      throw OraError(955, "name is already used by an existing object");
    }
  } else {
    check_object_name_free(c, code.owner, code.name);
  }
}

bool uses(const DataType& t, const CodeDef& type) {
  return t.object && t.object->owner == type.owner && t.object->name == type.name;
}

/// Rows hold images of a type, so it cannot change under them.
void check_no_dependents(const Catalog& c, const CodeDef& type) {
  const auto fail = [] {
    throw OraError(2303, "cannot drop or replace a type with type or table dependents");
  };
  for (const auto& [key, table] : c.tables) {
    for (const ColumnDef& column : table->columns) {
      if (uses(column.type, type)) fail();
    }
  }
  for (const auto& [key, code] : c.code) {
    if (!code->type) continue;
    for (const ObjectType::Attribute& a : code->type->attributes) {
      if (uses(a.type, type)) fail();
    }
  }
}

/// Unique in this database, as the object's number is.
void give_type_id(CodeDef& code) {
  auto type = std::make_shared<ObjectType>(*code.type);
  type->oid = std::string("\x5E\x1D\x4F\x52\x41\x53\x49\x4D\x54\x59\x50\x45", 12);
  for (int shift = 24; shift >= 0; shift -= 8) {
    type->oid.push_back(static_cast<char>(code.object_id >> shift));
  }
  code.type = std::move(type);
}

}  // namespace

void comment_on_table(Catalog& c, const std::string& owner, const std::string& table,
                      const std::string& text) {
  if (c.find_table(owner, table) != nullptr) {
    edit_table(c, owner, table).comment = text;
    return;
  }
  for (const char* kind : {"VIEW", "MATERIALIZED VIEW"}) {
    const auto at = c.code.find({owner, table, kind});
    if (at == c.code.end()) continue;
    auto view = std::make_shared<CodeDef>(*at->second);
    view->comment = text;
    at->second = std::move(view);
    return;
  }
  throw OraError(942, "table or view does not exist");
}

void comment_on_column(Catalog& c, const std::string& owner, const std::string& table,
                       const std::string& column, const std::string& text) {
  const auto view = c.code.find({owner, table, "VIEW"});
  if (c.find_table(owner, table) == nullptr && view != c.code.end()) {
    auto changed = std::make_shared<CodeDef>(*view->second);
    changed->column_comments[column] = text;
    view->second = std::move(changed);
    return;
  }
  column_of(edit_table(c, owner, table), column).comment = text;
}

void create_code(Catalog& c, const CodeDef& code, bool or_replace) {
  auto made = std::make_shared<CodeDef>(code);
  const auto old = c.find_code(code.owner, code.name, code.kind);
  if (old == nullptr || !or_replace) check_code_name_free(c, code);
  if (code.kind == "TRIGGER" && !code.table_name.empty() &&
      c.find_table(code.table_owner, code.table_name) == nullptr &&
      c.find_code(code.table_owner, code.table_name, "VIEW") == nullptr) {
    throw OraError(942, "table or view does not exist");
  }
  if (old != nullptr && code.kind == "TYPE") check_no_dependents(c, *old);
  made->object_id = old != nullptr ? old->object_id : take_object_id(c);
  if (made->type) give_type_id(*made);
  made->created_unix = old != nullptr ? old->created_unix : c.edit_unix_seconds;
  made->last_ddl_unix = c.edit_unix_seconds;
  if (old != nullptr && made->comment.empty()) made->comment = old->comment;
  c.code[{code.owner, code.name, code.kind}] = std::move(made);
}

void drop_code(Catalog& c, const std::string& owner, const std::string& name,
               const std::string& kind) {
  if (const auto type = c.find_code(owner, name, "TYPE"); type != nullptr && kind == "TYPE") {
    check_no_dependents(c, *type);
  }
  if (c.code.erase({owner, name, kind}) == 0) {
    CodeDef wanted;
    wanted.owner = owner;
    wanted.name = name;
    wanted.kind = kind;
    throw_missing(wanted);
  }
  if (kind != "TRIGGER" && !kind.ends_with(" BODY")) privileges::forget_object(c, owner, name);
  if (kind == "PACKAGE" || kind == "TYPE") c.code.erase({owner, name, kind + " BODY"});
}

void set_trigger_state(Catalog& c, const std::string& owner, const std::string& name,
                       bool enabled) {
  const auto at = c.code.find({owner, name, "TRIGGER"});
  if (at == c.code.end()) throw OraError(4080, "trigger '" + name + "' does not exist");
  auto trigger = std::make_shared<CodeDef>(*at->second);
  trigger->enabled = enabled;
  trigger->last_ddl_unix = c.edit_unix_seconds;
  at->second = std::move(trigger);
}

void set_all_trigger_states(Catalog& c, const std::string& owner, const std::string& table,
                            bool enabled) {
  if (c.find_table(owner, table) == nullptr) {
    throw OraError(942, "table or view does not exist");
  }
  for (auto& [key, code] : c.code) {
    if (code->kind != "TRIGGER" || code->table_owner != owner || code->table_name != table) {
      continue;
    }
    auto trigger = std::make_shared<CodeDef>(*code);
    trigger->enabled = enabled;
    code = std::move(trigger);
  }
}

void create_user(Catalog& c, const UserDef& user) {
  if (c.users.contains(user.name) || privileges::is_role(c, user.name)) {
    throw OraError(1920, "user name '" + user.name + "' conflicts with another user or role name");
  }
  auto made = std::make_shared<UserDef>(user);
  made->user_id = c.next_user_id++;
  made->created_unix = c.edit_unix_seconds;
  c.users[user.name] = std::move(made);
}

void alter_user(Catalog& c, const UserDef& user) {
  const auto at = c.users.find(user.name);
  if (at == c.users.end()) throw OraError(1918, "user '" + user.name + "' does not exist");
  auto changed = std::make_shared<UserDef>(user);
  changed->user_id = at->second->user_id;
  changed->created_unix = at->second->created_unix;
  at->second = std::move(changed);
}

void drop_user(Catalog& c, const std::string& name, bool cascade) {
  if (!c.users.contains(name)) throw OraError(1918, "user '" + name + "' does not exist");
  std::vector<std::string> tables;
  for (const auto& [key, table] : c.tables) {
    if (key.first == name) tables.push_back(key.second);
  }
  const auto owned = [&](const auto& map, auto owner_of) {
    for (const auto& [key, def] : map) {
      if (owner_of(key) == name) return true;
    }
    return false;
  };
  const auto first = [](const auto& key) { return std::get<0>(key); };
  if (!cascade && (!tables.empty() || owned(c.sequences, first) || owned(c.code, first))) {
    throw OraError(1922, "CASCADE must be specified to drop '" + name + "'");
  }
  for (const std::string& table : tables) drop_table(c, name, table, true);
  std::erase_if(c.sequences, [&](const auto& e) { return e.first.first == name; });
  std::erase_if(c.code, [&](const auto& e) { return std::get<0>(e.first) == name; });
  c.users.erase(name);
  privileges::forget_user(c, name);
}

}  // namespace orasim::ddl
