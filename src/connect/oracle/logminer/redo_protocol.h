// What LogMiner prints besides INSERT, UPDATE and DELETE: rows that tell in PL/SQL how a LOB, an
// XML document or a string of more than 4000 bytes came about, and rows that tell nothing. Facts:
// reference oracle-cdc, 7.4 to 7.7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/logminer/redo_scanner.h"
#include "connect/oracle/logminer/redo_statement.h"

namespace wherry::oracle {

enum class RedoRowKind : std::uint8_t {
  kStatement,  ///< for RedoParser
  kSelectLobLocator,
  kLobWrite,
  kLobTrim,
  kLobErase,
  kXmlBegin,
  kXmlWrite,
  kXmlEnd,
  kExtendedStringBegin,
  kExtendedStringWrite,
  kExtendedStringEnd,
  kUnsupported,  ///< there is a change, and it is not told
  kSkip,         ///< nothing to do
  kError,        ///< a row that must not come
};

struct RedoRowClass {
  RedoRowKind kind = RedoRowKind::kStatement;
  std::string_view reason;  ///< of kSkip and kError; static
};
/// By V$LOGMNR_CONTENTS.OPERATION_CODE, where it is known, and the text. `info` is the row's INFO.
RedoRowClass classify_redo(std::optional<int> operation_code, std::string_view text,
                           std::string_view info);

enum class LobType : std::uint8_t { kNone, kClob, kNclob, kBlob };

/// What a row of the protocol says. Views of the text or of the parser.
struct RedoPiece {
  std::string_view owner, table, column;  ///< empty when the row does not name them
  LobType lob_type = LobType::kNone;
  std::vector<RedoField> key;  ///< which row is meant
  std::string_view row_id;
  std::optional<RedoValue> data;        ///< text, or HEXTORAW's digits; kNull for XML that is NULL
  std::optional<std::uint64_t> amount;  ///< characters, bytes of a BLOB
  std::optional<std::uint64_t> offset;  ///< from 1
  std::optional<std::uint64_t> length;  ///< of a trim
  bool is_text_form = false;            ///< of XML: the document comes as its text alone

  void clear();
};

class RedoProtocolParser {
 public:
  /// REQUIRES: a kind between kSelectLobLocator and kExtendedStringEnd. False: problem().
  bool parse(RedoRowKind kind, std::string_view text, std::string_view info, RedoPiece& out);
  [[nodiscard]] const RedoProblem& problem() const { return scanner_.problem(); }

 private:
  struct Assignment {
    std::string_view variable;
    RedoValue value;
  };
  bool block(RedoPiece& out);
  bool locator_select(RedoPiece& out);
  bool statement(RedoPiece& out);
  bool assignment(std::string_view variable);
  bool lob_call(std::string_view name, RedoPiece& out);
  bool number_of(const RedoValue& value, std::optional<std::uint64_t>& out);
  bool call_argument(std::string_view& word, std::optional<RedoValue>& value);
  bool xml_begin(RedoPiece& out);
  static bool xml_update(RedoScanner& in, RedoPiece& out);
  bool xml_write(std::string_view text, RedoPiece& out);
  bool xml_amount(RedoPiece& out);
  bool cut_hex(RedoPiece& out);
  bool extended_begin(RedoPiece& out);
  bool extended_write(std::string_view text, RedoPiece& out);

  RedoScanner scanner_;
  RedoScanner inner_;  ///< of a statement within a literal
  std::vector<Assignment> assignments_;
};

}  // namespace wherry::oracle
