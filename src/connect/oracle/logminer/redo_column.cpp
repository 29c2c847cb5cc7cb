#include "connect/oracle/logminer/redo_column.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

using Named = std::pair<std::string_view, RedoColumn>;

constexpr RedoColumn plain(OracleType type) {
  return {type, CharsetForm::kNone, false};
}
constexpr RedoColumn text(OracleType type, CharsetForm form = CharsetForm::kDatabase) {
  return {type, form, false};
}

constexpr std::array kTypes = {
    Named{"NUMBER", plain(OracleType::kNumber)},
    Named{"FLOAT", plain(OracleType::kNumber)},
    Named{"INTEGER", plain(OracleType::kNumber)},
    Named{"INT", plain(OracleType::kNumber)},
    Named{"SMALLINT", plain(OracleType::kNumber)},
    Named{"DECIMAL", plain(OracleType::kNumber)},
    Named{"NUMERIC", plain(OracleType::kNumber)},
    Named{"REAL", plain(OracleType::kNumber)},
    Named{"DOUBLE PRECISION", plain(OracleType::kNumber)},
    Named{"BINARY_FLOAT", plain(OracleType::kBinaryFloat)},
    Named{"BINARY_DOUBLE", plain(OracleType::kBinaryDouble)},
    Named{"VARCHAR2", text(OracleType::kVarchar)},
    Named{"VARCHAR", text(OracleType::kVarchar)},
    Named{"NVARCHAR2", text(OracleType::kVarchar, CharsetForm::kNational)},
    Named{"CHAR", text(OracleType::kChar)},
    Named{"NCHAR", text(OracleType::kChar, CharsetForm::kNational)},
    Named{"LONG", text(OracleType::kLong)},
    Named{"LONG RAW", plain(OracleType::kLongRaw)},
    Named{"CLOB", text(OracleType::kClob)},
    Named{"NCLOB", text(OracleType::kClob, CharsetForm::kNational)},
    Named{"BLOB", plain(OracleType::kBlob)},
    Named{"BFILE", plain(OracleType::kBfile)},
    Named{"RAW", plain(OracleType::kRaw)},
    Named{"DATE", plain(OracleType::kDate)},
    Named{"TIMESTAMP", plain(OracleType::kTimestamp)},
    Named{"TIMESTAMP WITH TIME ZONE", plain(OracleType::kTimestampTz)},
    Named{"TIMESTAMP WITH LOCAL TIME ZONE", plain(OracleType::kTimestampLtz)},
    Named{"INTERVAL YEAR TO MONTH", plain(OracleType::kIntervalYm)},
    Named{"INTERVAL DAY TO SECOND", plain(OracleType::kIntervalDs)},
    Named{"ROWID", plain(OracleType::kRowid)},
    Named{"UROWID", plain(OracleType::kUrowid)},
    Named{"JSON", plain(OracleType::kJson)},
    Named{"BOOLEAN", plain(OracleType::kBoolean)},
    Named{"VECTOR", plain(OracleType::kVector)},
    Named{"XMLTYPE", RedoColumn{OracleType::kObject, CharsetForm::kNone, true}},
    Named{"SYS.XMLTYPE", RedoColumn{OracleType::kObject, CharsetForm::kNone, true}},
};

/// In capitals, without what stands in parentheses, with single blanks.
std::string bare_name(std::string_view data_type) {
  std::string out;
  int depth = 0;
  for (const char c : data_type) {
    if (c == '(') ++depth;
    if (depth == 0 && !(c == ' ' && (out.empty() || out.back() == ' '))) {
      out += capital(c);
    }
    if (c == ')') --depth;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

std::optional<RedoColumn> redo_column_of(std::string_view data_type) {
  const std::string name = bare_name(data_type);
  const auto* const found = std::find_if(kTypes.begin(), kTypes.end(),
                                         [&](const Named& one) { return one.first == name; });
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace wherry::oracle
