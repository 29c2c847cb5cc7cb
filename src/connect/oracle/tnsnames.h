// Names of tnsnames.ora, and connect strings that may be such names.
// Facts: reference oracle-wire, 1.16 (tnsnames.ora).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/connect_string.h"
#include "connect/oracle/sqlnet.h"
#include "core/result.h"

namespace wherry::oracle {

/// What a tnsnames.ora and the files it includes hold.
struct TnsNames {
  /// By name in upper case: a descriptor or an Easy Connect string. Later entries replace earlier.
  std::map<std::string, std::string> entries;
  /// What was skipped because it cannot be read: "FILE line N: what is wrong".
  std::vector<std::string> problems;
};

/// Errors as read_ora_file().
Result<TnsNames> read_tnsnames(const std::string& path);

/// A connect string of any form; a bare word is looked up in `directory`'s tnsnames.ora, first with
/// the default domain of `settings` behind it. What the connect string leaves open is as `settings`
/// say. Errors: those of parse_connect_string() and read_tnsnames(); kConfig
/// "oracle.unknown_alias".
Result<ConnectTarget> resolve_connect_string(std::string_view text, const std::string& directory,
                                             const SqlnetOra& settings = {});

}  // namespace wherry::oracle
