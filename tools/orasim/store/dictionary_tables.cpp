// TABLES, TAB_COMMENTS, TAB_PARTITIONS, PART_TABLES, PART_KEY_COLUMNS.
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using Table = TableDef;

void visit_tables(const Context& c, const std::function<bool(const Table&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    if (!visit(*table)) return;
  }
}

/// Tables and views with their comments.
struct Commented {
  std::string owner, name, type, comment;
};

void visit_commented(const Context& c, const std::function<bool(const Commented&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    if (!visit({table->owner, table->name, "TABLE", table->comment})) return;
  }
  for (const auto& [key, code] : c.catalog.code) {
    if (code->kind == "VIEW" && !visit({code->owner, code->name, "VIEW", code->comment})) return;
  }
}

struct Partition {
  const Table* table = nullptr;
  const PartitionDef* partition = nullptr;
};

void visit_partitions(const Context& c, const std::function<bool(const Partition&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    for (const PartitionDef& p : table->partitions) {
      if (!visit({table.get(), &p})) return;
    }
  }
}

struct KeyColumn {
  const Table* table = nullptr;
  std::size_t position = 0;
};

void visit_part_keys(const Context& c, const std::function<bool(const KeyColumn&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    for (std::size_t i = 0; i < table->partition_columns.size(); ++i) {
      if (!visit({table.get(), i})) return;
    }
  }
}

std::string owner_of_table(const Table& t) {
  return t.owner;
}

Value row_length(const Table& t, const Context& c) {
  const TableStats s = c.store.stats(t);
  return number(s.row_count == 0 ? 0 : static_cast<std::int64_t>(s.row_bytes / s.row_count));
}

bool in_segment(const Table& t) {
  return !t.temporary && t.partition_by.empty();
}

std::vector<Column<Table>> table_columns() {
  return {
      text_of<Table>("OWNER", [](const Table& t) { return t.owner; }),
      text_of<Table>("TABLE_NAME", [](const Table& t) { return t.name; }),
      text_of<Table>("TABLESPACE_NAME",
                     [](const Table& t) { return in_segment(t) ? "USERS" : ""; }),
      empty<Table>("CLUSTER_NAME", Kind::kText),
      empty<Table>("IOT_NAME", Kind::kText),
      fixed<Table>("STATUS", "VALID"),
      fixed_number<Table>("PCT_FREE", 10),
      empty<Table>("PCT_USED", Kind::kNumber),
      fixed_number<Table>("INI_TRANS", 1),
      fixed_number<Table>("MAX_TRANS", 255),
      fixed_number<Table>("INITIAL_EXTENT", 65536),
      fixed_number<Table>("NEXT_EXTENT", 1048576),
      fixed_number<Table>("MIN_EXTENTS", 1),
      fixed_number<Table>("MAX_EXTENTS", 2147483645),
      empty<Table>("PCT_INCREASE", Kind::kNumber),
      empty<Table>("FREELISTS", Kind::kNumber),
      empty<Table>("FREELIST_GROUPS", Kind::kNumber),
      fixed<Table>("LOGGING", "YES"),
      fixed<Table>("BACKED_UP", "N"),
      {"NUM_ROWS", Kind::kNumber,
       [](const Table& t, const Context& c) {
         return number(static_cast<std::int64_t>(c.store.stats(t).row_count));
       }},
      {"BLOCKS", Kind::kNumber,
       [](const Table& t, const Context& c) {
         return number(static_cast<std::int64_t>(c.store.stats(t).blocks));
       }},
      fixed_number<Table>("EMPTY_BLOCKS", 0),
      fixed_number<Table>("AVG_SPACE", 0),
      fixed_number<Table>("CHAIN_CNT", 0),
      {"AVG_ROW_LEN", Kind::kNumber, row_length},
      fixed_number<Table>("AVG_SPACE_FREELIST_BLOCKS", 0),
      fixed_number<Table>("NUM_FREELIST_BLOCKS", 0),
      fixed<Table>("DEGREE", "         1"),
      fixed<Table>("INSTANCES", "         1"),
      fixed<Table>("CACHE", "    N"),
      fixed<Table>("TABLE_LOCK", "ENABLED"),
      empty<Table>("SAMPLE_SIZE", Kind::kNumber),
      empty<Table>("LAST_ANALYZED", Kind::kDate),
      text_of<Table>("PARTITIONED",
                     [](const Table& t) { return t.partition_by.empty() ? "NO" : "YES"; }),
      text_of<Table>("IOT_TYPE", [](const Table& t) { return t.index_organized ? "IOT" : ""; }),
      text_of<Table>("TEMPORARY", [](const Table& t) { return t.temporary ? "Y" : "N"; }),
      fixed<Table>("SECONDARY", "N"),
      fixed<Table>("NESTED", "NO"),
      fixed<Table>("BUFFER_POOL", "DEFAULT"),
      fixed<Table>("FLASH_CACHE", "DEFAULT"),
      fixed<Table>("CELL_FLASH_CACHE", "DEFAULT"),
      fixed<Table>("ROW_MOVEMENT", "DISABLED"),
      fixed<Table>("GLOBAL_STATS", "NO"),
      fixed<Table>("USER_STATS", "NO"),
      text_of<Table>("DURATION",
                     [](const Table& t) {
                       if (!t.temporary) return "";
                       return t.preserves_rows ? "SYS$SESSION" : "SYS$TRANSACTION";
                     }),
      fixed<Table>("SKIP_CORRUPT", "DISABLED"),
      fixed<Table>("MONITORING", "YES"),
      empty<Table>("CLUSTER_OWNER", Kind::kText),
      fixed<Table>("DEPENDENCIES", "DISABLED"),
      fixed<Table>("COMPRESSION", "DISABLED"),
      empty<Table>("COMPRESS_FOR", Kind::kText),
      fixed<Table>("DROPPED", "NO"),
      fixed<Table>("READ_ONLY", "NO"),
      {"SEGMENT_CREATED", Kind::kText,
       [](const Table& t, const Context& c) { return yes_no(c.store.stats(t).blocks > 0); }},
      fixed<Table>("RESULT_CACHE", "DEFAULT"),
      fixed<Table>("CLUSTERING", "NO"),
      empty<Table>("ACTIVITY_TRACKING", Kind::kText),
      empty<Table>("DML_TIMESTAMP", Kind::kText),
      {"HAS_IDENTITY", Kind::kText,
       [](const Table& t, const Context&) {
         bool any = false;
         for (const ColumnDef& column : t.columns) any = any || column.is_identity;
         return yes_no(any);
       }},
      fixed<Table>("CONTAINER_DATA", "NO"),
      fixed<Table>("INMEMORY", "DISABLED"),
      empty<Table>("INMEMORY_PRIORITY", Kind::kText),
      empty<Table>("INMEMORY_DISTRIBUTE", Kind::kText),
      empty<Table>("INMEMORY_COMPRESSION", Kind::kText),
      empty<Table>("INMEMORY_DUPLICATE", Kind::kText),
      fixed<Table>("DEFAULT_COLLATION", "USING_NLS_COMP"),
      fixed<Table>("DUPLICATED", "N"),
      fixed<Table>("SHARDED", "N"),
      fixed<Table>("EXTERNAL", "NO"),
      fixed<Table>("HYBRID", "NO"),
  };
}

std::vector<Column<Partition>> partition_columns() {
  using P = Partition;
  return {
      text_of<P>("TABLE_OWNER", [](const P& p) { return p.table->owner; }),
      text_of<P>("TABLE_NAME", [](const P& p) { return p.table->name; }),
      fixed<P>("COMPOSITE", "NO"),
      text_of<P>("PARTITION_NAME", [](const P& p) { return p.partition->name; }),
      fixed_number<P>("SUBPARTITION_COUNT", 0),
      {"HIGH_VALUE", Kind::kLong,
       [](const P& p, const Context&) { return long_text(p.partition->high_value); }},
      number_of<P>("HIGH_VALUE_LENGTH", [](const P& p) { return p.partition->high_value.size(); }),
      number_of<P>("PARTITION_POSITION", [](const P& p) { return p.partition->position; }),
      fixed<P>("TABLESPACE_NAME", "USERS"),
      fixed<P>("LOGGING", "YES"),
      fixed<P>("COMPRESSION", "DISABLED"),
      empty<P>("COMPRESS_FOR", Kind::kText),
      empty<P>("NUM_ROWS", Kind::kNumber),
      empty<P>("BLOCKS", Kind::kNumber),
      empty<P>("AVG_ROW_LEN", Kind::kNumber),
      empty<P>("LAST_ANALYZED", Kind::kDate),
      text_of<P>("INTERVAL",
                 [](const P& p) { return p.table->interval_partitioned ? "YES" : "NO"; }),
      fixed<P>("SEGMENT_CREATED", "YES"),
      fixed<P>("READ_ONLY", "NO"),
  };
}

void add_partition_views(Registry& r) {
  r.add_family<Partition>(
      "TAB_PARTITIONS", visit_partitions, partition_columns(),
      [](const Partition& p) { return p.table->owner; }, {"TABLE_OWNER"},
      [](const Partition& i) {
        return ObjectName{i.table->owner, i.table->name};
      });
  const Items<Table> partitioned = [](const Context& c,
                                      const std::function<bool(const Table&)>& visit) {
    visit_tables(c, [&](const Table& t) { return t.partition_by.empty() || visit(t); });
  };
  r.add_family<Table>(
      "PART_TABLES", partitioned,
      {text_of<Table>("OWNER", [](const Table& t) { return t.owner; }),
       text_of<Table>("TABLE_NAME", [](const Table& t) { return t.name; }),
       text_of<Table>("PARTITIONING_TYPE", [](const Table& t) { return t.partition_by; }),
       fixed<Table>("SUBPARTITIONING_TYPE", "NONE"),
       number_of<Table>("PARTITION_COUNT",
                        [](const Table& t) {
                          // An interval table may grow to the limit.
                          return t.interval_partitioned ? std::size_t{1048575}
                                                        : t.partitions.size();
                        }),
       fixed_number<Table>("DEF_SUBPARTITION_COUNT", 0),
       number_of<Table>("PARTITIONING_KEY_COUNT",
                        [](const Table& t) { return t.partition_columns.size(); }),
       fixed_number<Table>("SUBPARTITIONING_KEY_COUNT", 0), fixed<Table>("STATUS", "VALID"),
       fixed<Table>("DEF_TABLESPACE_NAME", "USERS"),
       text_of<Table>("INTERVAL", [](const Table& t) { return t.interval_sql; })},
      owner_of_table, {"OWNER"}, [](const Table& i) {
        return ObjectName{i.owner, i.name};
      });
  r.add_family<KeyColumn>(
      "PART_KEY_COLUMNS", visit_part_keys,
      {text_of<KeyColumn>("OWNER", [](const KeyColumn& k) { return k.table->owner; }),
       text_of<KeyColumn>("NAME", [](const KeyColumn& k) { return k.table->name; }),
       fixed<KeyColumn>("OBJECT_TYPE", "TABLE"),
       text_of<KeyColumn>(
           "COLUMN_NAME",
           [](const KeyColumn& k) { return k.table->partition_columns[k.position]; }),
       number_of<KeyColumn>("COLUMN_POSITION", [](const KeyColumn& k) { return k.position + 1; }),
       empty<KeyColumn>("COLLATED_COLUMN_ID", Kind::kNumber)},
      [](const KeyColumn& k) { return k.table->owner; }, {"OWNER"},
      [](const KeyColumn& i) {
        return ObjectName{i.table->owner, i.table->name};
      });
}

}  // namespace

void add_table_views(Registry& r) {
  r.add_family<Table>("TABLES", visit_tables, table_columns(), owner_of_table, {"OWNER"},
                      [](const Table& i) {
                        return ObjectName{i.owner, i.name};
                      });
  r.add_family<Commented>(
      "TAB_COMMENTS", visit_commented,
      {text_of<Commented>("OWNER", [](const Commented& t) { return t.owner; }),
       text_of<Commented>("TABLE_NAME", [](const Commented& t) { return t.name; }),
       text_of<Commented>("TABLE_TYPE", [](const Commented& t) { return t.type; }),
       text_of<Commented>("COMMENTS", [](const Commented& t) { return t.comment; }),
       fixed_number<Commented>("ORIGIN_CON_ID", 0)},
      [](const Commented& t) { return t.owner; }, {"OWNER"},
      [](const Commented& i) {
        return ObjectName{i.owner, i.name};
      });
  add_partition_views(r);
}

}  // namespace orasim::dictionary
