// What a statement of DDL that the redo has does to the rows and the definition of its table. Its
// text is only classified: the dictionary says what a table is. Facts: reference oracle-cdc, 7.3
// and 13.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wherry::oracle {

enum class RedoDdl : std::uint8_t {
  kNone,        ///< nothing that concerns rows or columns
  kTruncate,    ///< of the whole table
  kDefinition,  ///< the dictionary is to be read again
  kDrop,
  kCreate,
  kRename,     ///< of the table
  kPartition,  ///< rows have come or gone that the redo does not tell
  kFlashback,  ///< likewise, of the whole table
};

/// Letters of either case; comments and quoted names are passed over.
RedoDdl classify_ddl(std::string_view sql);

/// The table that a statement of one table names, by its own words: LogMiner may show the name that
/// it has after a RENAME. An owner that is not named is empty. nullopt: there is none.
struct DdlTable {
  std::string owner, name;
};
std::optional<DdlTable> table_of_ddl(std::string_view sql);

}  // namespace wherry::oracle
