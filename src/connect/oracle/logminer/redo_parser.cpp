#include "connect/oracle/logminer/redo_parser.h"

namespace wherry::oracle {
namespace {

using Place = RedoScanner::Place;

}  // namespace

bool RedoParser::parse(std::string_view text, RedoStatement& out) {
  if (parse_once(text, false, out)) return true;
  problem_ = scanner_.problem();
  return quotes_ == Quotes::kRelaxed && parse_once(text, true, out);
}

bool RedoParser::parse_once(std::string_view text, bool is_relaxed, RedoStatement& out) {
  out.clear();
  scanner_.start(text, is_relaxed);
  bool is_parsed = false;
  if (scanner_.take_word("INSERT")) {
    is_parsed = insert(out);
  } else if (scanner_.take_word("UPDATE")) {
    is_parsed = update(out);
  } else if (scanner_.take_word("DELETE")) {
    is_parsed = remove(out);
  } else {
    return scanner_.fail("no INSERT, UPDATE or DELETE");
  }
  return is_parsed && (scanner_.at_end() || scanner_.fail("there is more behind the statement"));
}

bool RedoParser::insert(RedoStatement& out) {
  out.kind = RedoKind::kInsert;
  if (!scanner_.expect_word("INTO", "INTO is missing")) return false;
  if (!scanner_.object_name(out.owner, out.table)) return false;
  if (!scanner_.expect('(', "the list of columns is missing")) return false;
  do {
    if (!scanner_.column_name(out.after.emplace_back().column)) return false;
  } while (scanner_.take(','));
  if (!scanner_.expect(')', "the list of columns does not end")) return false;
  if (!scanner_.expect_word("VALUES", "VALUES is missing")) return false;
  if (!scanner_.expect('(', "the values are missing")) return false;
  bool is_first = true;
  for (RedoField& field : out.after) {
    if (!is_first && !scanner_.expect(',', "there are fewer values than columns")) return false;
    is_first = false;
    if (!scanner_.value(field.value, Place::kValues)) return false;
  }
  return scanner_.expect(')', "there are more values than columns");
}

bool RedoParser::update(RedoStatement& out) {
  out.kind = RedoKind::kUpdate;
  if (!scanner_.object_name(out.owner, out.table)) return false;
  if (!scanner_.take_word("SET")) {
    scanner_.take_identifier();  // an alias
    if (!scanner_.expect_word("SET", "SET is missing")) return false;
  }
  do {
    if (!scanner_.field(out.after.emplace_back(), Place::kSet)) return false;
  } while (scanner_.take(','));
  return where(out);
}

bool RedoParser::remove(RedoStatement& out) {
  out.kind = RedoKind::kDelete;
  if (!scanner_.expect_word("FROM", "FROM is missing")) return false;
  if (!scanner_.object_name(out.owner, out.table)) return false;
  if (scanner_.take_word("WHERE")) return scanner_.predicates(out.before, out.row_id);
  scanner_.take_identifier();  // an alias
  return where(out);
}

bool RedoParser::where(RedoStatement& out) {
  // Undo rows have none, and so have tables without logged columns.
  return !scanner_.take_word("WHERE") || scanner_.predicates(out.before, out.row_id);
}

}  // namespace wherry::oracle
