// Values in the bytes that they are stored in: what LogMiner prints (HEXTORAW) for rows of a
// definition that is no longer the table's, with columns "COL 1", "COL 2", … Facts: reference
// oracle-cdc, 8.5 and 9.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/zone_rules.h"

namespace wherry::oracle {

struct StoredValueContext {
  Arena* arena = nullptr;                ///< takes what cells point to
  wire::RegionTable* regions = nullptr;  ///< of named time zones
  std::uint16_t database_charset = wire::kCharsetAl32Utf8;
  std::uint16_t national_charset = wire::kCharsetAl16Utf16;
  wire::ZoneField database_zone;  ///< DBTIMEZONE, for TIMESTAMP WITH LOCAL TIME ZONE
};

/// `image` without a length. LOBs are kNotGiven: what is stored of them is a locator.
RedoValueStatus stored_cell(std::string_view image, const RedoColumn& column,
                            const StoredValueContext& context, Cell& out);

/// The same from SQL_REDO.
RedoValueStatus stored_cell(const RedoValue& value, const RedoColumn& column,
                            const StoredValueContext& context, Cell& out);

/// n of "COL n", from 1; nullopt for another name.
std::optional<std::size_t> positional_column(std::string_view name);

/// "WE8ISO8859P15" as its number; nullopt: not known here.
std::optional<std::uint16_t> charset_id(std::string_view name);

}  // namespace wherry::oracle
