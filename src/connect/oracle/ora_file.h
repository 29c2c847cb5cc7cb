// The form that tnsnames.ora and sqlnet.ora share: entries "name = value" whose values may go over
// several lines in parentheses, "#" comments, IFILE lines that include other files.
// Facts: reference oracle-wire, 1.16 (tnsnames.ora).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace wherry::oracle {

struct OraEntry {
  std::string name;   ///< upper case; several before one value are an entry each
  std::string value;  ///< without comments
  std::string place;  ///< "FILE line N"
};

struct OraFile {
  std::vector<OraEntry> entries;  ///< in order, those of included files where they are included
  /// What was skipped because it cannot be read: "FILE line N: what is wrong".
  std::vector<std::string> problems;
};

/// Reads a file and what its IFILE lines include (relative to the including file). Entries that
/// cannot be read are skipped and told in `problems`, as are files that include themselves. kConfig
/// "oracle.tnsnames" when the file itself cannot be read.
Result<OraFile> read_ora_file(const std::string& path);

/// `configured`, else $TNS_ADMIN, else $ORACLE_HOME/network/admin; "" when none is set.
std::string ora_directory(const std::string& configured);

std::string upper_name(std::string_view text);
std::string_view without_blanks(std::string_view text);
/// May stand in the name of an entry.
bool is_name_char(char c);

}  // namespace wherry::oracle
