// A column as LogMiner's values are read by: its type as the dictionary names it.
#pragma once

#include <optional>
#include <string_view>

#include "connect/oracle/wire/types.h"

namespace wherry::oracle {

struct RedoColumn {
  OracleType type = OracleType::kVarchar;
  CharsetForm form = CharsetForm::kNone;  ///< of character types
  bool is_xml = false;                    ///< XMLTYPE; type is kObject
};

/// "NUMBER(10,2)", "TIMESTAMP(6) WITH LOCAL TIME ZONE", "NVARCHAR2", in letters of either case;
/// nullopt for a type that is not known.
std::optional<RedoColumn> redo_column_of(std::string_view data_type);

}  // namespace wherry::oracle
