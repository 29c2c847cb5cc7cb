#include "connect/oracle/logminer/redo_protocol.h"

#include <algorithm>
#include <charconv>

#include "connect/oracle/logminer/letters.h"

namespace wherry::oracle {
namespace {

using Place = RedoScanner::Place;

bool same_letter(char a, char b) {
  return capital(a) == capital(b);
}
bool has(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter) != text.end();
}
bool begins(std::string_view text, std::string_view part) {
  return text.size() >= part.size() &&
         std::equal(part.begin(), part.end(), text.begin(), same_letter);
}
std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

constexpr std::string_view kNotTold = "Unsupported";
constexpr std::string_view kNoText = "the row has no text";

/// Of rows whose operation is INSERT, UPDATE or DELETE.
RedoRowClass class_of_statement(std::string_view text) {
  if (text.empty()) return {RedoRowKind::kSkip, kNoText};
  if (begins(text, "/* No SQL_REDO")) return {RedoRowKind::kSkip, "temporary table"};
  if (begins(text, kNotTold) || begins(text, "Dictionary ")) return {RedoRowKind::kUnsupported, {}};
  return {RedoRowKind::kStatement, {}};
}

RedoRowClass class_of_block(std::string_view text) {
  if (has(text, "CreateTemporary") || has(text, "Stmt := '")) {
    return {RedoRowKind::kExtendedStringBegin, {}};
  }
  if (has(text, "dbms_lob.WriteAppend(TempLob")) return {RedoRowKind::kExtendedStringWrite, {}};
  if (has(text, "dbms_lob.write")) return {RedoRowKind::kLobWrite, {}};
  if (has(text, "dbms_lob.trim")) return {RedoRowKind::kLobTrim, {}};
  if (has(text, "dbms_lob.erase")) return {RedoRowKind::kLobErase, {}};
  return {RedoRowKind::kSelectLobLocator, {}};
}

/// Without an operation code.
RedoRowClass class_of_text(std::string_view text, std::string_view info) {
  if (begins(text, "update") && (has(info, "needs assembly") || has(text, "XMLType(:"))) {
    return {RedoRowKind::kXmlBegin, {}};
  }
  if (begins(text, "insert") || begins(text, "update") || begins(text, "delete")) {
    return {RedoRowKind::kStatement, {}};
  }
  if (begins(text, "XML DOC BEGIN")) return {RedoRowKind::kXmlBegin, {}};
  if (begins(text, "XML DOC END")) return {RedoRowKind::kXmlEnd, {}};
  if (begins(text, "XML_REDO") || has(info, "XML") || begins(text, "<")) {
    return {RedoRowKind::kXmlWrite, {}};
  }
  if (begins(text, "DECLARE") || begins(text, "buf_") || begins(text, "dbms_lob") ||
      begins(text, "e_len")) {
    return class_of_block(text);
  }
  if (begins(text, "set transaction") || begins(text, "commit") || begins(text, "rollback")) {
    return {RedoRowKind::kSkip, "transaction control"};
  }
  return class_of_statement(text);
}

RedoRowClass class_of_code(int code, std::string_view text) {
  switch (code) {
    case 0:
      return {RedoRowKind::kSkip, "internal"};
    case 1:
    case 2:
    case 3:
      return class_of_statement(text);
    case 5:
      return {RedoRowKind::kSkip, "DDL"};
    case 6:
    case 7:
    case 36:
      return {RedoRowKind::kSkip, "transaction control"};
    case 9:
      if (text.empty()) return {RedoRowKind::kSkip, kNoText};
      return {RedoRowKind::kSelectLobLocator, {}};
    case 10:
      return {RedoRowKind::kLobWrite, {}};
    case 11:
      return {RedoRowKind::kLobTrim, {}};
    case 25:
      return {RedoRowKind::kSkip, "row lock"};
    case 27:
      return {RedoRowKind::kSkip, "replication marker"};
    case 28:  // documented
    case 29:  // delivered
      return {RedoRowKind::kLobErase, {}};
    case 34:
      return {RedoRowKind::kError, "a gap in the redo"};
    case 68:
      return {RedoRowKind::kXmlBegin, {}};
    case 70:
      return {RedoRowKind::kXmlWrite, {}};
    case 71:
      return {RedoRowKind::kXmlEnd, {}};
    case 91:
      return {RedoRowKind::kExtendedStringBegin, {}};
    case 92:
      return {RedoRowKind::kExtendedStringWrite, {}};
    case 93:
      return {RedoRowKind::kExtendedStringEnd, {}};
    case 255:
      return {RedoRowKind::kUnsupported, {}};
    default:
      return {RedoRowKind::kError, "an operation that is not known"};
  }
}

/// By the names of the locators in what LogMiner prints.
LobType lob_type_of(std::string_view variable) {
  if (begins(variable, "loc_nc")) return LobType::kNclob;
  if (begins(variable, "loc_c")) return LobType::kClob;
  if (begins(variable, "loc_b")) return LobType::kBlob;
  return LobType::kNone;
}

}  // namespace

RedoRowClass classify_redo(std::optional<int> operation_code, std::string_view text,
                           std::string_view info) {
  text = without_blanks(text);
  return operation_code ? class_of_code(*operation_code, text) : class_of_text(text, info);
}

void RedoPiece::clear() {
  owner = table = column = row_id = {};
  lob_type = LobType::kNone;
  key.clear();
  data.reset();
  amount = offset = length = std::nullopt;
  is_text_form = false;
}

bool RedoProtocolParser::parse(RedoRowKind kind, std::string_view text, std::string_view info,
                               RedoPiece& out) {
  out.clear();
  assignments_.clear();
  scanner_.start(text);
  switch (kind) {
    case RedoRowKind::kXmlBegin:
      if (!xml_begin(out)) return false;
      if (has(info, "needs assembly")) out.is_text_form = true;
      if (has(info, "not re-executable")) out.is_text_form = false;
      return true;
    case RedoRowKind::kXmlWrite:
      return xml_write(text, out);
    case RedoRowKind::kExtendedStringBegin:
      return extended_begin(out);
    case RedoRowKind::kExtendedStringWrite:
      return extended_write(text, out);
    case RedoRowKind::kXmlEnd:
    case RedoRowKind::kExtendedStringEnd:
      return true;
    default:
      return block(out);
  }
}

bool RedoProtocolParser::block(RedoPiece& out) {
  if (scanner_.take_word("DECLARE")) {
    while (!scanner_.take_word("BEGIN")) {
      if (scanner_.at_end()) return scanner_.fail("BEGIN is missing");
      if (scanner_.take_identifier().empty()) scanner_.move_to(scanner_.position() + 1);
    }
  }
  while (!scanner_.at_end()) {
    if (scanner_.take_word("END")) continue;
    if (!statement(out)) return false;
    if (!scanner_.take(';') && !scanner_.at_end()) return scanner_.fail("; is missing");
  }
  return true;
}

bool RedoProtocolParser::statement(RedoPiece& out) {
  if (scanner_.take_word("SELECT")) return locator_select(out);
  const std::string_view word = scanner_.take_identifier();
  if (word.empty()) return scanner_.fail("a statement is not of a known form");
  if (!scanner_.take('.')) return assignment(word);
  return lob_call(scanner_.take_identifier(), out);
}

bool RedoProtocolParser::locator_select(RedoPiece& out) {
  if (!scanner_.column_name(out.column)) return false;
  if (!scanner_.expect_word("INTO", "INTO is missing")) return false;
  out.lob_type = lob_type_of(scanner_.take_identifier());
  if (!scanner_.expect_word("FROM", "FROM is missing")) return false;
  if (!scanner_.object_name(out.owner, out.table)) return false;
  if (scanner_.take_word("WHERE") && !scanner_.predicates(out.key, out.row_id)) return false;
  return !scanner_.take_word("FOR") || scanner_.expect_word("UPDATE", "UPDATE is missing");
}

bool RedoProtocolParser::assignment(std::string_view variable) {
  if (!scanner_.take(':') || !scanner_.take('=')) return scanner_.fail(":= is missing");
  RedoValue value;
  if (!scanner_.value(value, Place::kSet)) return false;
  assignments_.push_back({variable, value});
  return true;
}

bool RedoProtocolParser::call_argument(std::string_view& word, std::optional<RedoValue>& value) {
  word = scanner_.take_identifier();
  if (word.empty()) {
    value.emplace();
    return scanner_.value(*value, Place::kValues);
  }
  if (scanner_.take('(')) {  // LENGTH(buf_c)
    scanner_.take_identifier();
    return scanner_.expect(')', "the end of a function's arguments is missing");
  }
  for (const Assignment& known : assignments_) {
    if (known.variable == word) value = known.value;
  }
  return true;
}

bool RedoProtocolParser::number_of(const RedoValue& value, std::optional<std::uint64_t>& out) {
  std::uint64_t number = 0;
  const char* const end = value.text.data() + value.text.size();
  const auto [stop, status] = std::from_chars(value.text.data(), end, number);
  if (status != std::errc{} || stop != end) return scanner_.fail("an amount is no whole number");
  out = number;
  return true;
}

bool RedoProtocolParser::lob_call(std::string_view name, RedoPiece& out) {
  if (!scanner_.expect('(', "the arguments of a call are missing")) return false;
  std::vector<std::optional<RedoValue>> arguments;
  do {
    std::string_view word;
    if (!call_argument(word, arguments.emplace_back())) return false;
  } while (scanner_.take(','));
  if (!scanner_.expect(')', "the end of a call's arguments is missing")) return false;
  const auto number = [&](std::size_t index, std::optional<std::uint64_t>& to) {
    if (index >= arguments.size() || !arguments[index]) {
      return scanner_.fail("an amount is missing");
    }
    return number_of(*arguments[index], to);
  };
  const auto is = [&](std::string_view wanted) {
    return name.size() == wanted.size() && begins(name, wanted);
  };
  if (is("WRITE")) {
    if (arguments.size() != 4 || !arguments[3]) return scanner_.fail("the data is missing");
    out.data = arguments[3];
    return number(1, out.amount) && number(2, out.offset);
  }
  if (is("TRIM")) return number(1, out.length);
  if (is("ERASE")) return number(1, out.amount) && number(2, out.offset);
  return true;  // what makes a temporary LOB, or appends to it
}

bool RedoProtocolParser::xml_begin(RedoPiece& out) {
  const std::size_t begin = scanner_.position();
  if (scanner_.take_word("UPDATE")) {
    scanner_.move_to(begin);
    return xml_update(scanner_, out);
  }
  if (!scanner_.expect_word("XML", "no beginning of a document") ||
      !scanner_.expect_word("DOC", "no beginning of a document") ||
      !scanner_.expect_word("BEGIN", "no beginning of a document") ||
      !scanner_.expect(':', "no beginning of a document") ||
      !scanner_.expect_word("SELECT", "SELECT is missing") || !scanner_.column_name(out.column) ||
      !scanner_.expect_word("FROM", "FROM is missing") ||
      !scanner_.object_name(out.owner, out.table)) {
    return false;
  }
  if (!scanner_.take_word("WHERE")) {
    scanner_.take_identifier();
    if (!scanner_.take_word("WHERE")) return scanner_.at_end() || scanner_.fail("WHERE is missing");
  }
  return scanner_.predicates(out.key, out.row_id) &&
         (scanner_.at_end() || scanner_.fail("there is more behind the statement"));
}

bool RedoProtocolParser::xml_update(RedoScanner& in, RedoPiece& out) {
  out.is_text_form = true;
  RedoValue value;
  if (!in.expect_word("UPDATE", "UPDATE is missing") || !in.object_name(out.owner, out.table)) {
    return false;
  }
  if (!in.take_word("SET")) {
    in.take_identifier();
    if (!in.expect_word("SET", "SET is missing")) return false;
  }
  if (!in.column_name(out.column) || !in.expect('=', "= is missing behind a column") ||
      !in.value(value, Place::kSet)) {
    return false;
  }
  if (value.form != RedoForm::kBind) return in.fail("the value is no bind");
  if (in.take_word("WHERE") && !in.predicates(out.key, out.row_id)) return false;
  return in.at_end() || in.fail("there is more behind the statement");
}

/// ":15" or "amount: 15".
bool RedoProtocolParser::xml_amount(RedoPiece& out) {
  scanner_.take_word("AMOUNT");
  if (scanner_.take(':')) {
    RedoValue value;
    if (!scanner_.value(value, Place::kSet) || !number_of(value, out.amount)) return false;
  }
  return scanner_.at_end() || scanner_.fail("there is more behind the document");
}

/// HEXTORAW('…'), or without the second apostrophe.
bool RedoProtocolParser::cut_hex(RedoPiece& out) {
  if (!scanner_.expect('(', "HEXTORAW has no argument") ||
      !scanner_.expect('\'', "HEXTORAW has no argument")) {
    return false;
  }
  const std::string_view rest = scanner_.rest();
  const std::size_t size = std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
  RedoValue& value = out.data.emplace();
  value.form = RedoForm::kCall;
  value.function = "HEXTORAW";
  value.argument_count = 1;
  value.text = rest.substr(0, size);
  scanner_.move_to(scanner_.position() + size);
  scanner_.take('\'');
  return scanner_.expect(')', "the end of HEXTORAW is missing");
}

bool RedoProtocolParser::xml_write(std::string_view text, RedoPiece& out) {
  if (!scanner_.take_word("XML_REDO")) {
    out.is_text_form = true;
    RedoValue& value = out.data.emplace();
    value.form = RedoForm::kText;
    value.text = text;
    return true;
  }
  if (!scanner_.take(':') || !scanner_.take('=')) return scanner_.fail(":= is missing");
  if (scanner_.take_word("HEXTORAW")) return cut_hex(out) && xml_amount(out);
  out.data.emplace();
  return scanner_.value(*out.data, Place::kSet) && xml_amount(out);
}

bool RedoProtocolParser::extended_begin(RedoPiece& out) {
  RedoPiece nothing;
  if (!block(nothing)) return false;
  const auto found =
      std::find_if(assignments_.begin(), assignments_.end(), [](const Assignment& one) {
        return one.value.form == RedoForm::kText &&
               begins(without_blanks(one.value.text), "update");
      });
  if (found == assignments_.end()) return scanner_.fail("the UPDATE is missing");
  // The statement within the literal.
  inner_.start(found->value.text);
  return xml_update(inner_, out) || scanner_.fail(inner_.problem().what);
}

bool RedoProtocolParser::extended_write(std::string_view text, RedoPiece& out) {
  scanner_.take_identifier();
  if (!scanner_.take(':') || !scanner_.take('=')) return scanner_.fail(":= is missing");
  RedoValue& value = out.data.emplace();
  const std::size_t first = scanner_.position();
  if (scanner_.value(value, Place::kSet) && scanner_.take(';')) return true;
  // The server was seen not to double apostrophes of such values; behind the assignment there are
  // none.
  const std::size_t begin = text.find('\'', first);
  const std::size_t end = text.rfind('\'');
  if (begin == std::string_view::npos || end == begin) {
    return scanner_.fail("a literal does not end");
  }
  value = {};
  value.form = RedoForm::kText;
  value.text = text.substr(begin + 1, end - begin - 1);
  return true;
}

}  // namespace wherry::oracle
