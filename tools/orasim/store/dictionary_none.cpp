// Views of what this database has none of: tools ask, and the answer is no rows.
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

struct None {};

void visit_none(const DictionaryContext&, const std::function<bool(const None&)>&) {}

struct Shape {
  const char* name;
  std::vector<const char*> texts;
  std::vector<const char*> numbers = {};
};

std::vector<Column<None>> columns_of(const Shape& shape) {
  std::vector<Column<None>> columns;
  for (const char* name : shape.texts) columns.push_back(empty<None>(name, Kind::kText));
  for (const char* name : shape.numbers) columns.push_back(empty<None>(name, Kind::kNumber));
  return columns;
}

const std::vector<Shape>& families() {
  static const std::vector<Shape> list = {
      {"EXTERNAL_TABLES",
       {"OWNER", "TABLE_NAME", "TYPE_OWNER", "TYPE_NAME", "DEFAULT_DIRECTORY_OWNER",
        "DEFAULT_DIRECTORY_NAME", "REJECT_LIMIT", "ACCESS_TYPE", "PROPERTY"}},
      {"NESTED_TABLES",
       {"OWNER", "TABLE_NAME", "TABLE_TYPE_OWNER", "TABLE_TYPE_NAME", "PARENT_TABLE_NAME",
        "PARENT_TABLE_COLUMN"}},
      {"OBJECT_TABLES",
       {"OWNER", "TABLE_NAME", "TABLESPACE_NAME", "TABLE_TYPE_OWNER", "TABLE_TYPE"}},
      {"XML_TABLES",
       {"OWNER", "TABLE_NAME", "XMLSCHEMA", "SCHEMA_OWNER", "ELEMENT_NAME", "STORAGE_TYPE"}},
      {"ENCRYPTED_COLUMNS", {"OWNER", "TABLE_NAME", "COLUMN_NAME", "ENCRYPTION_ALG", "SALT"}},
      {"TAB_SUBPARTITIONS",
       {"TABLE_OWNER", "TABLE_NAME", "PARTITION_NAME", "SUBPARTITION_NAME", "HIGH_VALUE",
        "TABLESPACE_NAME"},
       {"SUBPARTITION_POSITION", "NUM_ROWS", "BLOCKS"}},
      {"SUBPART_KEY_COLUMNS", {"OWNER", "NAME", "OBJECT_TYPE", "COLUMN_NAME"}, {"COLUMN_POSITION"}},
      {"TRIGGER_COLS",
       {"TRIGGER_OWNER", "TRIGGER_NAME", "TABLE_OWNER", "TABLE_NAME", "COLUMN_NAME", "COLUMN_LIST",
        "COLUMN_USAGE"}},
      {"PROCEDURES",
       {"OWNER", "OBJECT_NAME", "PROCEDURE_NAME", "OVERLOAD", "OBJECT_TYPE", "AGGREGATE",
        "PIPELINED", "IMPLTYPEOWNER", "IMPLTYPENAME", "PARALLEL", "INTERFACE", "DETERMINISTIC",
        "AUTHID"},
       {"OBJECT_ID", "SUBPROGRAM_ID"}},
      {"ARGUMENTS",
       {"OWNER", "OBJECT_NAME", "PACKAGE_NAME", "OVERLOAD", "ARGUMENT_NAME", "DATA_TYPE",
        "DEFAULTED", "DEFAULT_VALUE", "IN_OUT", "CHARACTER_SET_NAME", "TYPE_OWNER", "TYPE_NAME",
        "TYPE_SUBNAME", "TYPE_LINK", "TYPE_OBJECT_TYPE", "PLS_TYPE", "CHAR_USED"},
       {"OBJECT_ID", "SUBPROGRAM_ID", "POSITION", "SEQUENCE", "DATA_LEVEL", "DATA_LENGTH",
        "DATA_PRECISION", "DATA_SCALE", "RADIX", "CHAR_LENGTH", "DEFAULT_LENGTH"}},
      {"PLSQL_TYPES", {"OWNER", "TYPE_NAME", "PACKAGE_NAME", "TYPE_OID", "TYPECODE"}},
      {"DB_LINKS", {"OWNER", "DB_LINK", "USERNAME", "HOST"}},
      {"CLUSTERS", {"OWNER", "CLUSTER_NAME", "TABLESPACE_NAME", "CLUSTER_TYPE"}},
      {"ERRORS",
       {"OWNER", "NAME", "TYPE", "TEXT", "ATTRIBUTE"},
       {"SEQUENCE", "LINE", "POSITION", "MESSAGE_NUMBER"}},
  };
  return list;
}

}  // namespace

void add_empty_views(Registry& r) {
  for (const Shape& shape : families()) {
    r.add_family<None>(
        shape.name, visit_none, columns_of(shape), [](const None&) { return std::string(); },
        {"OWNER", "TABLE_OWNER"}, [](const None&) { return ObjectName{}; });
  }
  r.add<None>(
      "USER_RECYCLEBIN", visit_none,
      columns_of({"", {"OBJECT_NAME", "ORIGINAL_NAME", "OPERATION", "TYPE", "CAN_UNDROP"}}));
}

}  // namespace orasim::dictionary
