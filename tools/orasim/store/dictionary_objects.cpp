// OBJECTS.
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

struct Item {
  std::string owner, name, type;
  std::int64_t object_id = 0, data_object_id = 0;
  std::int64_t created = 0, changed = 0;
  bool valid = true, temporary = false, generated = false;
};

Item table_item(const TableDef& t) {
  return {t.owner,        t.name,          "TABLE", t.object_id, t.data_object_id,
          t.created_unix, t.last_ddl_unix, true,    t.temporary, false};
}

Item index_item(const IndexDef& i) {
  return {i.owner,        i.name,         "INDEX", i.object_id, i.object_id,
          i.created_unix, i.created_unix, true,    false,       i.generated_name};
}

Item sequence_item(const SequenceDef& s) {
  return {s.owner,        s.name,          "SEQUENCE", s.object_id, 0,
          s.created_unix, s.last_ddl_unix, true,       false,       false};
}

Item code_item(const CodeDef& c) {
  return {c.owner,        c.name,          c.kind,  c.object_id, 0,
          c.created_unix, c.last_ddl_unix, c.valid, false,       false};
}

void visit_objects(const Context& c, const std::function<bool(const Item&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    if (!visit(table_item(*table))) return;
    for (const IndexDef& index : table->indexes) {
      if (!visit(index_item(index))) return;
    }
  }
  for (const auto& [key, sequence] : c.catalog.sequences) {
    if (!visit(sequence_item(*sequence))) return;
  }
  for (const auto& [key, code] : c.catalog.code) {
    if (!visit(code_item(*code))) return;
  }
}

/// USER_CATALOG: what can be named in a query.
void visit_catalog(const Context& c, const std::function<bool(const Item&)>& visit) {
  visit_objects(c, [&](const Item& i) {
    const bool shown =
        i.type == "TABLE" || i.type == "VIEW" || i.type == "SEQUENCE" || i.type == "SYNONYM";
    return !shown || visit(i);
  });
}

/// DICTIONARY: the views themselves.
void visit_views(const Context&, const std::function<bool(const std::string&)>& visit) {
  for (const DictionaryView* view : dictionary_views()) {
    if (!visit(view->name)) return;
  }
}

std::string stamp(std::int64_t unix_seconds) {
  const Value v = date(unix_seconds);
  if (v.is_null()) return {};
  const DateTime& t = v.date_time();
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d:%02d:%02d:%02d", t.year, t.month, t.day,
                t.hour, t.minute, t.second);
  return buffer;
}

}  // namespace

void add_object_views(Registry& r) {
  r.add_family<Item>(
      "OBJECTS", visit_objects,
      {text_of<Item>("OWNER", [](const Item& i) { return i.owner; }),
       text_of<Item>("OBJECT_NAME", [](const Item& i) { return i.name; }),
       empty<Item>("SUBOBJECT_NAME", Kind::kText),
       number_of<Item>("OBJECT_ID", [](const Item& i) { return i.object_id; }),
       {"DATA_OBJECT_ID", Kind::kNumber,
        [](const Item& i, const Context&) {
          return number_or_null(i.data_object_id != 0, i.data_object_id);
        }},
       text_of<Item>("OBJECT_TYPE", [](const Item& i) { return i.type; }),
       {"CREATED", Kind::kDate, [](const Item& i, const Context&) { return date(i.created); }},
       {"LAST_DDL_TIME", Kind::kDate,
        [](const Item& i, const Context&) { return date(i.changed); }},
       text_of<Item>("TIMESTAMP", [](const Item& i) { return stamp(i.changed); }),
       text_of<Item>("STATUS", [](const Item& i) { return i.valid ? "VALID" : "INVALID"; }),
       text_of<Item>("TEMPORARY", [](const Item& i) { return i.temporary ? "Y" : "N"; }),
       text_of<Item>("GENERATED", [](const Item& i) { return i.generated ? "Y" : "N"; }),
       fixed<Item>("SECONDARY", "N"),
       number_of<Item>(
           "NAMESPACE",
           [](const Item& i) { return i.type == "INDEX" ? 4 : (i.type == "TRIGGER" ? 3 : 1); }),
       empty<Item>("EDITION_NAME", Kind::kText),
       fixed<Item>("SHARING", "NONE"),
       empty<Item>("EDITIONABLE", Kind::kText),
       fixed<Item>("ORACLE_MAINTAINED", "N"),
       fixed<Item>("APPLICATION", "N"),
       fixed<Item>("DEFAULT_COLLATION", "USING_NLS_COMP"),
       fixed<Item>("DUPLICATED", "N"),
       fixed<Item>("SHARDED", "N")},
      [](const Item& i) { return i.owner; }, {"OWNER"},
      [](const Item& i) {
        return ObjectName{i.owner, i.name};
      });
  r.add_family<Item>(
      "CATALOG", visit_catalog,
      {text_of<Item>("OWNER", [](const Item& i) { return i.owner; }),
       text_of<Item>("TABLE_NAME", [](const Item& i) { return i.name; }),
       text_of<Item>("TABLE_TYPE", [](const Item& i) { return i.type; })},
      [](const Item& i) { return i.owner; }, {"OWNER"},
      [](const Item& i) {
        return ObjectName{i.owner, i.name};
      });
  r.add<std::string>("DICTIONARY", visit_views,
                     {text_of<std::string>("TABLE_NAME", [](const std::string& n) { return n; }),
                      empty<std::string>("COMMENTS", Kind::kText)});
}

}  // namespace orasim::dictionary
