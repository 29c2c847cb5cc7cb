// Names of tnsnames.ora, and connect strings that may be such names.
// Facts: reference oracle-wire, 1.16 (tnsnames.ora).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/connect_string.h"
#include "core/result.h"

namespace wherry::oracle {

/// What a tnsnames.ora and the files it includes hold.
struct TnsNames {
  /// By name in upper case: a descriptor or an Easy Connect string. Later entries replace earlier.
  std::map<std::string, std::string> entries;
  /// What was skipped because it cannot be read: "FILE line N: what is wrong".
  std::vector<std::string> problems;
};

/// Reads a file and what its IFILE lines include (relative to the including file). Entries that
/// cannot be read are skipped and told in `problems`, as are files that include themselves. kConfig
/// "oracle.tnsnames" when the file itself cannot be read.
Result<TnsNames> read_tnsnames(const std::string& path);

/// `configured`, else $TNS_ADMIN, else $ORACLE_HOME/network/admin; "" when none is set.
std::string tns_directory(const std::string& configured);

/// A connect string of any form; a bare word is looked up in `directory`'s tnsnames.ora. Errors:
/// those of parse_connect_string() and read_tnsnames(); kConfig "oracle.unknown_alias".
Result<ConnectTarget> resolve_connect_string(std::string_view text, const std::string& directory);

}  // namespace wherry::oracle
