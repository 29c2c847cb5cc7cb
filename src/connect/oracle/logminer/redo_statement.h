// A change as LogMiner prints it in SQL_REDO, taken apart and not yet converted. Facts: reference
// oracle-cdc, section 8 (Oracle Database Utilities, "Using LogMiner", does not give the grammar).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wherry::oracle {

enum class RedoKind : std::uint8_t { kInsert, kUpdate, kDelete };

enum class RedoForm : std::uint8_t {
  kNull,         ///< NULL, = NULL, IS NULL
  kText,         ///< a quoted literal: most types
  kNumber,       ///< a number without quotes
  kNational,     ///< UNISTR('…'), one or several joined
  kCall,         ///< any other function
  kUnsupported,  ///< `Unsupported Type`: there is a value, and it is not shown
  kBind,         ///< :1, also as XMLTYPE's argument: the value comes in other rows
};

/// Views into the statement's text or into the parser's memory.
struct RedoValue {
  // Members alone: with a defaulted one GCC clears the whole by `rep stos`, at 2 % of the parser.
  RedoValue() noexcept {}  // NOLINT(modernize-use-equals-default)
  RedoForm form = RedoForm::kNull;
  std::uint8_t argument_count = 0;  ///< of a call
  std::string_view text;            ///< decoded: the literal, the number, the first argument
  std::string_view format;          ///< the second argument
  std::string_view function;        ///< of a call, as it was written
  std::string_view hint;            ///< of a comment before the value: "JSON"
};

struct RedoField {
  RedoField() noexcept {}  // NOLINT(modernize-use-equals-default): as RedoValue()
  std::string_view column;
  RedoValue value;
};

struct RedoStatement {
  RedoKind kind = RedoKind::kInsert;
  std::string_view owner;  ///< empty when it is not named
  std::string_view table;
  std::vector<RedoField> after;   ///< the row of an INSERT, the SET list of an UPDATE
  std::vector<RedoField> before;  ///< the WHERE list
  std::string_view row_id;        ///< of a ROWID predicate

  void clear() {
    owner = table = row_id = {};
    after.clear();
    before.clear();
  }
};

/// Whether a call is of this function, whose name is given in capitals.
bool is_call(const RedoValue& value, std::string_view function);

}  // namespace wherry::oracle
