// SEGMENTS, EXTENTS, TABLESPACES. A partitioned table is stored in one piece, which counts as its
// first partition.
#include <map>

#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
constexpr std::int64_t kBlockBytes = 8192;

struct Item {
  const TableDef* table = nullptr;
  ExtentInfo extent;
  std::int64_t number = 0;  ///< of the extent, or how many there are
  std::int64_t blocks = 0;
};

void visit_extents(const Context& c, const std::function<bool(const Item&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    std::int64_t number = 0;
    for (const ExtentInfo& extent : c.store.extents(*table)) {
      if (!visit({table.get(), extent, number++, extent.block_count})) return;
    }
  }
}

void visit_segments(const Context& c, const std::function<bool(const Item&)>& visit) {
  for (const auto& [key, table] : c.catalog.tables) {
    Item item{table.get(), {}, 0, 0};
    for (const ExtentInfo& extent : c.store.extents(*table)) {
      if (item.number++ == 0) item.extent = extent;
      item.blocks += extent.block_count;
    }
    if (item.number > 0 && !visit(item)) return;
  }
}

std::string owner_of(const Item& i) {
  return i.table->owner;
}

ObjectName about(const Item& i) {
  return {i.table->owner, i.table->name};
}
std::string partition_of(const Item& i) {
  return i.table->partitions.empty() ? std::string{} : i.table->partitions.front().name;
}
std::string segment_type(const Item& i) {
  return i.table->partitions.empty() ? "TABLE" : "TABLE PARTITION";
}

std::vector<Column<Item>> head() {
  return {text_of<Item>("OWNER", owner_of),
          text_of<Item>("SEGMENT_NAME", [](const Item& i) { return i.table->name; }),
          text_of<Item>("PARTITION_NAME", partition_of),
          text_of<Item>("SEGMENT_TYPE", segment_type)};
}

struct Space {
  const char* name;
  const char* contents;
};

void add_tablespaces(Registry& r) {
  const Items<Space> spaces = [](const Context&, const std::function<bool(const Space&)>& visit) {
    for (const Space& s :
         {Space{"SYSTEM", "PERMANENT"}, Space{"SYSAUX", "PERMANENT"}, Space{"UNDOTBS1", "UNDO"},
          Space{"TEMP", "TEMPORARY"}, Space{"USERS", "PERMANENT"}}) {
      if (!visit(s)) return;
    }
  };
  const std::vector<Column<Space>> columns = {
      text_of<Space>("TABLESPACE_NAME", [](const Space& s) { return std::string(s.name); }),
      fixed_number<Space>("BLOCK_SIZE", kBlockBytes),
      fixed<Space>("STATUS", "ONLINE"),
      text_of<Space>("CONTENTS", [](const Space& s) { return std::string(s.contents); }),
      fixed<Space>("LOGGING", "LOGGING"),
      fixed<Space>("FORCE_LOGGING", "NO"),
      fixed<Space>("EXTENT_MANAGEMENT", "LOCAL"),
      fixed<Space>("ALLOCATION_TYPE", "SYSTEM"),
      fixed<Space>("SEGMENT_SPACE_MANAGEMENT", "AUTO"),
      fixed<Space>("BIGFILE", "NO"),
      fixed<Space>("ENCRYPTED", "NO")};
  r.add<Space>("DBA_TABLESPACES", spaces, columns);
  r.add<Space>("USER_TABLESPACES", spaces, columns);
}

/// A data file as far as there is one: the blocks that tables have taken of it.
struct DataFile {
  std::int64_t number = 0, blocks = 0;
};

void visit_files(const Context& c, const std::function<bool(const DataFile&)>& visit) {
  std::map<std::int64_t, std::int64_t> blocks;
  visit_extents(c, [&](const Item& i) {
    blocks[i.extent.file] += i.blocks;
    return true;
  });
  for (const auto& [number, count] : blocks) {
    if (!visit({number, count})) return;
  }
}

/// All rows are kept in one log, so a file has no name of its own.
void add_files(Registry& r) {
  r.add<DataFile>(
      "DBA_DATA_FILES", visit_files,
      {empty<DataFile>("FILE_NAME", Kind::kText),
       number_of<DataFile>("FILE_ID", [](const DataFile& f) { return f.number; }),
       fixed<DataFile>("TABLESPACE_NAME", "USERS"),
       number_of<DataFile>("BYTES", [](const DataFile& f) { return f.blocks * kBlockBytes; }),
       number_of<DataFile>("BLOCKS", [](const DataFile& f) { return f.blocks; }),
       fixed<DataFile>("STATUS", "AVAILABLE"),
       number_of<DataFile>("RELATIVE_FNO", [](const DataFile& f) { return f.number; }),
       fixed<DataFile>("AUTOEXTENSIBLE", "YES"),
       number_of<DataFile>("USER_BYTES", [](const DataFile& f) { return f.blocks * kBlockBytes; }),
       number_of<DataFile>("USER_BLOCKS", [](const DataFile& f) { return f.blocks; }),
       fixed<DataFile>("ONLINE_STATUS", "ONLINE")});
}

}  // namespace

void add_storage_views(Registry& r) {
  std::vector<Column<Item>> segments = head();
  segments.insert(
      segments.end(),
      {fixed<Item>("SEGMENT_SUBTYPE", "ASSM"), fixed<Item>("TABLESPACE_NAME", "USERS"),
       number_of<Item>("HEADER_FILE", [](const Item& i) { return i.extent.file; }),
       number_of<Item>("HEADER_BLOCK", [](const Item& i) { return i.extent.first_block + 2; }),
       number_of<Item>("BYTES", [](const Item& i) { return i.blocks * kBlockBytes; }),
       number_of<Item>("BLOCKS", [](const Item& i) { return i.blocks; }),
       number_of<Item>("EXTENTS", [](const Item& i) { return i.number; }),
       fixed_number<Item>("INITIAL_EXTENT", 65536), fixed_number<Item>("NEXT_EXTENT", 1048576),
       fixed_number<Item>("MIN_EXTENTS", 1), fixed_number<Item>("MAX_EXTENTS", 2147483645),
       fixed_number<Item>("MAX_SIZE", 2147483645),
       number_of<Item>("RELATIVE_FNO", [](const Item& i) { return i.extent.file; }),
       fixed<Item>("BUFFER_POOL", "DEFAULT"), fixed<Item>("INMEMORY", "DISABLED")});
  r.add_family<Item>("SEGMENTS", visit_segments, segments, owner_of,
                     {"OWNER", "HEADER_FILE", "HEADER_BLOCK", "RELATIVE_FNO"}, about);
  std::vector<Column<Item>> extents = head();
  extents.insert(extents.end(),
                 {fixed<Item>("TABLESPACE_NAME", "USERS"),
                  number_of<Item>("EXTENT_ID", [](const Item& i) { return i.number; }),
                  number_of<Item>("FILE_ID", [](const Item& i) { return i.extent.file; }),
                  number_of<Item>("BLOCK_ID", [](const Item& i) { return i.extent.first_block; }),
                  number_of<Item>("BYTES", [](const Item& i) { return i.blocks * kBlockBytes; }),
                  number_of<Item>("BLOCKS", [](const Item& i) { return i.blocks; }),
                  number_of<Item>("RELATIVE_FNO", [](const Item& i) { return i.extent.file; })});
  r.add_family<Item>("EXTENTS", visit_extents, extents, owner_of,
                     {"OWNER", "FILE_ID", "BLOCK_ID", "RELATIVE_FNO"}, about);
  add_tablespaces(r);
  add_files(r);
}

}  // namespace orasim::dictionary
