// What the tables of a stream were at places in the redo, kept across restarts: rows that were
// written before a change of their table's definition, and are mined after it, come as stored bytes
// without names ("COL n"), which only the definition of then can say the meaning of. The dictionary
// has none but that of now. Facts: reference oracle-cdc, 13.2 and 13.3.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "connect/oracle/logminer/mined_row.h"
#include "core/result.h"
#include "schema/table_def.h"

namespace wherry::oracle {

/// A definition, and where in the redo it begins.
struct DefinitionVersion {
  /// The statement of DDL that made it; none: it is what the stream began with.
  struct Place {
    std::uint64_t scn = 0;
    std::uint32_t thread = 0;
    RedoAddress address;
  };
  Place since;
  /// When the dictionary was read: statements between `since` and then may be in it already.
  std::uint64_t read_scn = 0;
  schema::TableDef definition;  ///< without columns: the table is gone
};

class DefinitionHistory {
 public:
  /// Empty: nothing outlasts this object.
  explicit DefinitionHistory(std::filesystem::path file) : file_(std::move(file)) {}

  /// What an earlier run has kept of the same load; that of another one does not count. What cannot
  /// be read does not either, but for an error of the file system.
  Result<void> load(std::uint64_t database_id, std::uint64_t load_scn);
  /// The newest version whose beginning is delivered; nullptr: none is known. Later ones are
  /// forgotten: their statements come again.
  const DefinitionVersion* resume(
      const schema::TableRef& table,
      const std::function<bool(const DefinitionVersion::Place&)>& is_delivered);
  /// Only in memory before save(). Versions that lie far back are forgotten.
  void add(const schema::TableRef& table, DefinitionVersion version);
  Result<void> save() const;

 private:
  const std::filesystem::path file_;
  std::uint64_t database_id_ = 0, load_scn_ = 0;
  std::map<schema::TableRef, std::vector<DefinitionVersion>> tables_;  ///< oldest first
};

}  // namespace wherry::oracle
