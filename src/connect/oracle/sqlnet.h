// sqlnet.ora: what the connections of this machine have in common. Parameters that a client does
// not use are ignored, as are unknown ones. Facts: Oracle Database Net Services Reference,
// "Parameters for the sqlnet.ora File".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/nv_tree.h"
#include "core/result.h"

namespace wherry::oracle {

struct SqlnetOra {
  /// What a DESCRIPTION has of its own where it says nothing, under the names it has there.
  NvNode description;
  std::string default_domain;               ///< NAMES.DEFAULT_DOMAIN
  std::vector<std::string> directory_path;  ///< NAMES.DIRECTORY_PATH, upper case; empty: not set
  std::optional<std::chrono::milliseconds> receive_timeout;  ///< SQLNET.RECV_TIMEOUT

  /// Whether names are looked up in that way; `otherwise`: where no path is set.
  [[nodiscard]] bool looks_up(std::string_view method, bool otherwise = true) const;
};

/// The sqlnet.ora of a directory. Without a directory or a file: nothing is set. kConfig
/// "oracle.sqlnet" names the line of a value that cannot be used; "oracle.tnsnames" when a file
/// that is there cannot be read.
Result<SqlnetOra> read_sqlnet(const std::string& directory);

}  // namespace wherry::oracle
