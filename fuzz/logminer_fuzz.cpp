// SQL_REDO in every form: any text is read or refused, and what is read lies within the text or the
// parser's memory.
#include <iterator>
#include <string>

#include "connect/oracle/logminer/redo_assembler.h"
#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/logminer/redo_parser.h"
#include "connect/oracle/logminer/redo_protocol.h"
#include "connect/oracle/logminer/stored_value.h"
#include "connect/oracle/value_text.h"
#include "input.h"

namespace oracle = wherry::oracle;
using wherry::fuzz::Input;
using wherry::fuzz::require;

namespace {

constexpr const char* kTypes[] = {"NUMBER",
                                  "BINARY_FLOAT",
                                  "BINARY_DOUBLE",
                                  "VARCHAR2",
                                  "NVARCHAR2",
                                  "DATE",
                                  "TIMESTAMP",
                                  "TIMESTAMP WITH TIME ZONE",
                                  "TIMESTAMP WITH LOCAL TIME ZONE",
                                  "INTERVAL YEAR TO MONTH",
                                  "INTERVAL DAY TO SECOND",
                                  "RAW",
                                  "BLOB",
                                  "CLOB",
                                  "ROWID",
                                  "JSON"};

/// Every value as a value of every type, as it is printed and as it is stored.
void use_values(const std::vector<oracle::RedoField>& fields) {
  static oracle::wire::RegionTable regions;
  wherry::Arena arena;
  oracle::StoredValueContext stored;
  stored.arena = &arena;
  stored.regions = &regions;
  for (const oracle::RedoField& field : fields) {
    for (const char* type : kTypes) {
      const auto column = *oracle::redo_column_of(type);
      wherry::Cell cell;
      if (redo_cell(field.value, column, {&arena, 60}, cell) == oracle::RedoValueStatus::kGiven) {
        (void)oracle::value_text(cell);
      }
      if (stored_cell(field.value, column, stored, cell) == oracle::RedoValueStatus::kGiven) {
        (void)oracle::value_text(cell);
      }
    }
  }
}

template <oracle::RedoParser::Quotes kQuotes>
void fuzz_statement(Input& input) {
  oracle::RedoParser parser(kQuotes);
  oracle::RedoStatement statement;
  const std::string text(input.text());
  if (!parser.parse(text, statement)) {
    require(!parser.problem().what.empty() && parser.problem().at <= text.size());
    return;
  }
  use_values(statement.after);
  use_values(statement.before);
}

template <oracle::RedoRowKind kKind>
void fuzz_row(Input& input) {
  oracle::RedoProtocolParser parser;
  oracle::RedoPiece piece;
  const std::string text(input.text());
  (void)oracle::classify_redo({}, text, "");
  if (parser.parse(kKind, text, "", piece)) use_values(piece.key);
}

/// Rows of a few transactions and a table, with any text, in any order.
void fuzz_rows(Input& input) {
  constexpr int kCodes[] = {0, 1, 2, 3, 6, 7, 9, 10, 11, 29, 36, 68, 70, 71, 91, 92, 93, 255};
  constexpr const char* kRowIds[] = {"AAAAAAAAAAAAAAAAAA", "AAAR5FAAYAAAAANAAB",
                                     "AAAR5FAAYAAAAANAAC"};
  oracle::RedoAssembler assembler;
  std::string text;
  for (std::uint32_t block = 1; !input.empty(); ++block) {
    oracle::MinedRow row;
    row.scn = row.thread = 1;
    row.operation_code = kCodes[input.byte() % std::size(kCodes)];
    const std::uint8_t flags = input.byte();
    row.address = {1, (flags & 1) != 0 ? block : 1, 16};
    row.is_undo = (flags & 2) != 0;
    row.goes_on = (flags & 12) == 12;
    row.transaction = {3, 5, 1, (flags & 16) != 0 ? 0xFFFFFFFF : flags >> 6};
    row.owner = "S";
    row.table = "T";
    row.row_id = kRowIds[input.byte() % std::size(kRowIds)];
    const auto bytes = input.take(input.byte() + 256 * (input.byte() & 1));
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    row.sql_redo = text;
    const auto taken = assembler.take(row);
    if (taken.ok() && *taken) require(!(*taken)->changes.empty() || !(*taken)->problems.empty());
    if ((flags & 32) != 0) assembler.end_step();
  }
  (void)assembler.open();
}

constexpr wherry::fuzz::Part kParts[] = {fuzz_statement<oracle::RedoParser::Quotes::kStrict>,
                                         fuzz_statement<oracle::RedoParser::Quotes::kRelaxed>,
                                         fuzz_row<oracle::RedoRowKind::kSelectLobLocator>,
                                         fuzz_row<oracle::RedoRowKind::kLobWrite>,
                                         fuzz_row<oracle::RedoRowKind::kXmlBegin>,
                                         fuzz_row<oracle::RedoRowKind::kXmlWrite>,
                                         fuzz_row<oracle::RedoRowKind::kExtendedStringBegin>,
                                         fuzz_row<oracle::RedoRowKind::kExtendedStringWrite>,
                                         fuzz_rows};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
