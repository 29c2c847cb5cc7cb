// INDEXES, IND_COLUMNS, IND_EXPRESSIONS.
#include <algorithm>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

struct Item {
  const TableDef* table = nullptr;
  const IndexDef* index = nullptr;
  std::size_t position = 0;
};

void visit_indexes(const Context& c, const std::function<bool(const Item&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    for (const IndexDef& index : table->indexes) {
      if (!visit({table.get(), &index, 0})) return;
    }
  }
}

void visit_columns(const Context& c, const std::function<bool(const Item&)>& visit) {
  visit_indexes(c, [&](Item item) {
    for (item.position = 0; item.position < item.index->columns.size(); ++item.position) {
      if (!visit(item)) return false;
    }
    return true;
  });
}

const ColumnDef* column_of(const Item& i) {
  const int at = i.table->find_column(i.index->columns[i.position]);
  return at < 0 ? nullptr : &i.table->columns[static_cast<std::size_t>(at)];
}

std::string column_name(const Item& i) {
  if (column_of(i) != nullptr) return i.index->columns[i.position];
  // Oracle keeps an expression in a hidden column of a name of its own.
  return "SYS_NC" + std::string(i.position + 1 < 10 ? "0000" : "000") +
         std::to_string(i.position + 1) + "$";
}

std::string index_type(const Item& i) {
  std::string type = i.index->bitmap ? "BITMAP" : "NORMAL";
  if (i.table->index_organized && i.index->made_for_constraint) type = "IOT - TOP";
  return i.index->function_based ? "FUNCTION-BASED " + type : type;
}

std::string owner_of(const Item& i) {
  return i.index->owner;
}

ObjectName about(const Item& i) {
  return {i.table->owner, i.table->name};
}

std::vector<Column<Item>> index_columns() {
  return {
      text_of<Item>("OWNER", owner_of),
      text_of<Item>("INDEX_NAME", [](const Item& i) { return i.index->name; }),
      text_of<Item>("INDEX_TYPE", index_type),
      text_of<Item>("TABLE_OWNER", [](const Item& i) { return i.table->owner; }),
      text_of<Item>("TABLE_NAME", [](const Item& i) { return i.table->name; }),
      fixed<Item>("TABLE_TYPE", "TABLE"),
      text_of<Item>("UNIQUENESS",
                    [](const Item& i) { return i.index->unique ? "UNIQUE" : "NONUNIQUE"; }),
      fixed<Item>("COMPRESSION", "DISABLED"),
      empty<Item>("PREFIX_LENGTH", Kind::kNumber),
      fixed<Item>("TABLESPACE_NAME", "USERS"),
      fixed_number<Item>("INI_TRANS", 2),
      fixed_number<Item>("MAX_TRANS", 255),
      fixed_number<Item>("PCT_FREE", 10),
      fixed<Item>("LOGGING", "YES"),
      empty<Item>("BLEVEL", Kind::kNumber),
      empty<Item>("LEAF_BLOCKS", Kind::kNumber),
      empty<Item>("DISTINCT_KEYS", Kind::kNumber),
      empty<Item>("CLUSTERING_FACTOR", Kind::kNumber),
      fixed<Item>("STATUS", "VALID"),
      empty<Item>("NUM_ROWS", Kind::kNumber),
      empty<Item>("SAMPLE_SIZE", Kind::kNumber),
      empty<Item>("LAST_ANALYZED", Kind::kDate),
      fixed<Item>("DEGREE", "1"),
      fixed<Item>("INSTANCES", "1"),
      fixed<Item>("PARTITIONED", "NO"),
      text_of<Item>("TEMPORARY", [](const Item& i) { return i.table->temporary ? "Y" : "N"; }),
      text_of<Item>("GENERATED", [](const Item& i) { return i.index->generated_name ? "Y" : "N"; }),
      fixed<Item>("SECONDARY", "N"),
      empty<Item>("ITYP_OWNER", Kind::kText),
      empty<Item>("ITYP_NAME", Kind::kText),
      text_of<Item>("FUNCIDX_STATUS",
                    [](const Item& i) { return i.index->function_based ? "ENABLED" : ""; }),
      fixed<Item>("JOIN_INDEX", "NO"),
      fixed<Item>("DROPPED", "NO"),
      fixed<Item>("VISIBILITY", "VISIBLE"),
      fixed<Item>("SEGMENT_CREATED", "YES"),
      text_of<Item>("CONSTRAINT_INDEX",
                    [](const Item& i) { return i.index->made_for_constraint ? "YES" : "NO"; }),
  };
}

}  // namespace

void add_index_views(Registry& r) {
  r.add_family<Item>("INDEXES", visit_indexes, index_columns(), owner_of, {"OWNER"}, about);
  const std::vector<Column<Item>> head = {
      text_of<Item>("INDEX_OWNER", owner_of),
      text_of<Item>("INDEX_NAME", [](const Item& i) { return i.index->name; }),
      text_of<Item>("TABLE_OWNER", [](const Item& i) { return i.table->owner; }),
      text_of<Item>("TABLE_NAME", [](const Item& i) { return i.table->name; })};
  std::vector<Column<Item>> columns = head;
  columns.insert(columns.end(),
                 {text_of<Item>("COLUMN_NAME", column_name),
                  number_of<Item>("COLUMN_POSITION", [](const Item& i) { return i.position + 1; }),
                  number_of<Item>("COLUMN_LENGTH",
                                  [](const Item& i) {
                                    const ColumnDef* c = column_of(i);
                                    return c == nullptr ? 0 : data_length(c->type);
                                  }),
                  number_of<Item>("CHAR_LENGTH",
                                  [](const Item& i) {
                                    const ColumnDef* c = column_of(i);
                                    return c == nullptr ? 0U : c->type.size_chars;
                                  }),
                  text_of<Item>("DESCEND",
                                [](const Item& i) {
                                  return i.position < i.index->descending.size() &&
                                                 i.index->descending[i.position]
                                             ? "DESC"
                                             : "ASC";
                                }),
                  empty<Item>("COLLATED_COLUMN_ID", Kind::kNumber)});
  r.add_family<Item>("IND_COLUMNS", visit_columns, columns, owner_of,
                     {"INDEX_OWNER", "TABLE_OWNER"}, about);
  const Items<Item> expressions = [](const Context& c,
                                     const std::function<bool(const Item&)>& visit) {
    visit_columns(c, [&](const Item& i) { return column_of(i) != nullptr || visit(i); });
  };
  columns = head;
  columns.push_back({"COLUMN_EXPRESSION", Kind::kLong, [](const Item& i, const Context&) {
                       return long_text(i.index->columns[i.position]);
                     }});
  columns.push_back(
      number_of<Item>("COLUMN_POSITION", [](const Item& i) { return i.position + 1; }));
  r.add_family<Item>("IND_EXPRESSIONS", expressions, columns, owner_of,
                     {"INDEX_OWNER", "TABLE_OWNER"}, about);
}

}  // namespace orasim::dictionary
