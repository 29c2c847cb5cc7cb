#include "connect/oracle/logminer/redo_scanner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "connect/oracle/logminer/letters.h"
#include "connect/oracle/logminer/national_text.h"

namespace wherry::oracle {
namespace {

constexpr int kMostDepth = 8;

bool same_word(std::string_view text, std::string_view capitals) {
  return text.size() == capitals.size() &&
         std::equal(text.begin(), text.end(), capitals.begin(),
                    [](char a, char b) { return capital(a) == b; });
}

bool is_joinable(const RedoValue& value) {
  return value.form == RedoForm::kText || value.form == RedoForm::kNational ||
         (value.form == RedoForm::kCall && value.argument_count == 1 &&
          same_word(value.function, "HEXTORAW"));
}

/// Room for a literal without its doubled apostrophes, for what UNISTR makes of it, and for pieces
/// that are joined.
constexpr std::size_t kScratchFactor = 3;

}  // namespace

bool is_call(const RedoValue& value, std::string_view function) {
  return value.form == RedoForm::kCall && same_word(value.function, function);
}

void RedoScanner::start(std::string_view text, bool is_relaxed) {
  text_ = text;
  at_ = 0;
  is_relaxed_ = is_relaxed;
  depth_ = 0;
  problem_ = {};
  scratch_used_ = 0;
  if (scratch_.size() < kScratchFactor * text.size()) scratch_.resize(kScratchFactor * text.size());
}

bool RedoScanner::fail(std::string_view what) {
  if (problem_.what.empty()) problem_ = {what, at_};
  return false;
}

char* RedoScanner::scratch(std::size_t size) {
  // The factor makes this true of every text; a mistake there must not write beyond the end.
  if (size > scratch_.size() - scratch_used_) return nullptr;
  return scratch_.data() + scratch_used_;
}

std::size_t RedoScanner::after_more_blanks(std::size_t at) const {
  while (at < text_.size() && is_white(text_[at])) ++at;
  return at;
}

bool RedoScanner::at_end() {
  std::size_t at = after_blanks(at_);
  if (at < text_.size() && text_[at] == ';') at = after_blanks(at + 1);
  return at == text_.size();
}

bool RedoScanner::has_last_word(std::size_t at, std::string_view capitals) const {
  const std::size_t end = at + capitals.size();
  if (text_.size() < end || !same_word(between(at, end), capitals)) return false;
  return end == text_.size() || !is_word_part(text_[end]);
}

std::string_view RedoScanner::take_identifier() {
  const std::size_t begin = after_blanks(at_);
  if (begin == text_.size() || !is_letter(text_[begin])) return {};
  std::size_t end = begin;
  while (end < text_.size() && is_word_part(text_[end])) ++end;
  at_ = end;
  return between(begin, end);
}

bool RedoScanner::quoted_name(std::string_view& out) {
  if (!expect('"', "a name in double quotes is missing")) return false;
  const std::size_t begin = at_, end = find('"', begin);
  if (end == std::string_view::npos) return fail("a name does not end");
  out = between(begin, end);
  at_ = end + 1;
  return true;
}

bool RedoScanner::object_name(std::string_view& owner, std::string_view& name) {
  owner = {};
  if (!quoted_name(name)) return false;
  if (!take('.')) return true;
  owner = name;
  return quoted_name(name);
}

bool RedoScanner::any_column_name(std::string_view& out) {
  skip_blanks();
  if (at_ < text_.size() && text_[at_] != '"') {
    const std::string_view alias = take_identifier();
    if (alias.empty() || !take('.')) return fail("a column's name is missing");
  }
  return quoted_name(out);
}

bool RedoScanner::take_row_id() {
  const std::size_t before = at_;
  if (take_word("ROWID")) return true;
  if (!take_identifier().empty() && take('.') && take_word("ROWID")) return true;
  at_ = before;
  return false;
}

bool RedoScanner::literal(std::string_view& out, Place place) {
  if (!expect('\'', "a literal is missing")) return false;
  if (is_relaxed_) return relaxed_literal(out, place);
  const std::size_t begin = at_;
  std::size_t end = find('\'', begin);
  if (end == std::string_view::npos) return fail("a literal does not end");
  if (!has(end + 1, '\'')) {
    out = between(begin, end);
    at_ = end + 1;
    return true;
  }
  // Doubled apostrophes: copied without the second of each.
  char* const copy = scratch(text_.size() - begin);
  if (copy == nullptr) return fail("the text is too large");
  char* to = copy;
  std::size_t from = begin;
  for (;;) {
    const bool is_doubled = end + 1 < text_.size() && text_[end + 1] == '\'';
    const std::size_t size = end - from + (is_doubled ? 1 : 0);
    std::memcpy(to, text_.data() + from, size);
    to += size;
    if (!is_doubled) break;
    from = end + 2;
    end = find('\'', from);
    if (end == std::string_view::npos) return fail("a literal does not end");
  }
  out = {copy, static_cast<std::size_t>(to - copy)};
  scratch_used_ += out.size();
  at_ = end + 1;
  return true;
}

bool RedoScanner::follows_column(std::size_t at) const {
  at = after_blanks(at);
  std::size_t alias_end = at;
  while (alias_end < text_.size() && is_word_part(text_[alias_end])) ++alias_end;
  if (alias_end > at && alias_end < text_.size() && text_[alias_end] == '.') at = alias_end + 1;
  if (at == text_.size()) return false;
  if (has_word(at, "ROWID")) {
    at += 5;
  } else {
    const std::size_t end = text_[at] == '"' ? text_.find('"', at + 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    at = end + 1;
  }
  at = after_blanks(at);
  return at < text_.size() && (text_[at] == '=' || has_word(at, "IS"));
}

bool RedoScanner::may_follow(std::size_t at, Place place) const {
  at = after_blanks(at);
  if (at == text_.size()) return depth_ == 0 && place != Place::kValues;
  const char c = text_[at];
  if (c == '|' && has(at + 1, '|')) return true;
  if (depth_ > 0) return c == ')' || c == ',';
  if (place == Place::kValues) {
    if (c == ')') {
      at = after_blanks(at + 1);
      if (at < text_.size() && text_[at] == ';') at = after_blanks(at + 1);
      return at == text_.size();
    }
    if (c != ',') return false;
    at = after_blanks(at + 1);
    return at < text_.size() &&
           std::string_view("'NTEHUXnt-+.:/0123456789").find(text_[at]) != std::string_view::npos;
  }
  if (c == ';') return after_blanks(at + 1) == text_.size();
  if (place == Place::kSet) {
    if (c == ',') return follows_column(at + 1);
    return has_word(at, "WHERE") && follows_column(at + 5);
  }
  if (has_word(at, "AND")) return follows_column(at + 3);
  if (has_word(at, "OR")) return follows_column(at + 2);
  return has_word(at, "FOR");
}

bool RedoScanner::relaxed_literal(std::string_view& out, Place place) {
  char* const copy = scratch(text_.size() - at_);
  if (copy == nullptr) return fail("the text is too large");
  char* to = copy;
  for (std::size_t at = at_; at < text_.size();) {
    if (text_[at] != '\'') {
      *to++ = text_[at++];
      continue;
    }
    const bool is_doubled = at + 1 < text_.size() && text_[at + 1] == '\'';
    const bool is_last = may_follow(at + 1, place);
    if (is_last && !is_doubled) {
      out = {copy, static_cast<std::size_t>(to - copy)};
      scratch_used_ += out.size();
      at_ = at + 1;
      return true;
    }
    *to++ = '\'';
    // An apostrophe that was not doubled, before the one that ends the literal, or one that was.
    at += is_doubled && !may_follow(at + 2, place) ? 2 : 1;
  }
  return fail("a literal does not end");
}

void RedoScanner::take_hint(RedoValue& out) {
  skip_blanks();
  if (!has(at_, '/') || !has(at_ + 1, '*')) return;
  const std::size_t end = text_.find("*/", at_ + 2);
  if (end == std::string_view::npos) return;
  const std::size_t begin = after_blanks(at_ + 2);
  std::size_t last = std::max(end, begin);
  while (last > begin && is_white(text_[last - 1])) --last;
  out.hint = text_.substr(begin, last - begin);
  at_ = end + 2;
}

bool RedoScanner::number(RedoValue& out) {
  const std::size_t begin = at_;
  std::size_t at = at_;
  if (text_[at] == '-' || text_[at] == '+') ++at;
  const std::size_t digits = at;
  while (at < text_.size() && (is_digit(text_[at]) || text_[at] == '.')) ++at;
  if (at == digits) return fail("a value is missing");
  if (at < text_.size() && capital(text_[at]) == 'E') {
    ++at;
    if (at < text_.size() && (text_[at] == '-' || text_[at] == '+')) ++at;
    while (at < text_.size() && is_digit(text_[at])) ++at;
  }
  out.form = RedoForm::kNumber;
  out.text = text_.substr(begin, at - begin);
  at_ = at;
  return true;
}

bool RedoScanner::bind(RedoValue& out) {
  const std::size_t begin = at_++;
  // :1 or a name, with or without double quotes.
  if (at_ < text_.size() && text_[at_] == '"') {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) return fail("a name does not end");
    at_ = end + 1;
  } else {
    while (at_ < text_.size() && is_word_part(text_[at_])) ++at_;
  }
  if (at_ == begin + 1) return fail("a value is missing");
  out.form = RedoForm::kBind;
  out.text = text_.substr(begin, at_ - begin);
  return true;
}

bool RedoScanner::argument(RedoValue& out, Place place) {
  RedoValue inner;
  if (!value(inner, place)) return false;
  if (inner.form == RedoForm::kUnsupported) return fail("an argument of a function is missing");
  if (out.argument_count == 0) {
    out.text = inner.text;
    // XMLTYPE(:1): what comes later is the value, not its text.
    if (inner.form == RedoForm::kBind) out.form = RedoForm::kBind;
    if (inner.form == RedoForm::kNull) out.form = RedoForm::kNull;
  } else if (out.argument_count == 1) {
    out.format = inner.text;
  } else {
    return fail("a function has more arguments than are known");
  }
  ++out.argument_count;
  return true;
}

bool RedoScanner::national(std::string_view text, RedoValue& out) {
  char* const decoded = scratch(text.size());
  if (decoded == nullptr) return fail("the text is too large");
  std::size_t size = 0;
  bool has_surrogates = false;
  if (!decode_unistr(text, decoded, size, has_surrogates)) return fail("UNISTR has a wrong escape");
  scratch_used_ += size;
  out.form = RedoForm::kNational;
  out.text = {decoded, size};
  return true;
}

bool RedoScanner::call(std::string_view name, RedoValue& out, Place place) {
  if (++depth_ > kMostDepth) return fail("functions are nested too deeply");
  out.form = RedoForm::kCall;
  out.function = name;
  if (!take(')')) {
    do {
      if (!argument(out, place)) return false;
    } while (take(','));
    if (!expect(')', "the end of a function's arguments is missing")) return false;
  }
  --depth_;
  if (same_word(name, "UNISTR") && out.form == RedoForm::kCall) {
    if (out.argument_count != 1) return fail("UNISTR has one argument");
    return national(out.text, out);
  }
  return true;
}

bool RedoScanner::one_value(RedoValue& out, Place place) {
  take_hint(out);
  skip_blanks();
  if (at_ == text_.size()) return fail("a value is missing");
  const char c = text_[at_];
  if (c == '\'') {
    out.form = RedoForm::kText;
    return literal(out.text, place);
  }
  if (c == ':') return bind(out);
  if (!is_letter(c)) return number(out);
  const std::string_view word = take_identifier();
  if (take('(')) return call(word, out, place);
  if (same_word(word, "NULL")) {
    out.form = RedoForm::kNull;
    return true;
  }
  if (same_word(word, "UNSUPPORTED")) {
    take_word("TYPE");
    out.form = RedoForm::kUnsupported;
    return true;
  }
  return fail("a value is not of a known form");
}

bool RedoScanner::join(RedoValue& out, Place place) {
  if (!is_joinable(out)) return fail("what is joined is no text");
  const char* const left_end = out.text.data() + out.text.size();
  if (left_end != scratch_.data() + scratch_used_) {
    char* const copy = scratch(out.text.size());
    if (copy == nullptr) return fail("the text is too large");
    std::memcpy(copy, out.text.data(), out.text.size());
    out.text = {copy, out.text.size()};
    scratch_used_ += out.text.size();
  }
  RedoValue right;
  if (!one_value(right, place)) return false;
  const bool is_like_left = (right.form == RedoForm::kCall) == (out.form == RedoForm::kCall);
  if (!is_joinable(right) || !is_like_left) return fail("what is joined is no text");
  char* const end = const_cast<char*>(out.text.data()) + out.text.size();
  if (right.text.size() > static_cast<std::size_t>(scratch_.data() + scratch_.size() - end)) {
    return fail("the text is too large");
  }
  std::memmove(end, right.text.data(), right.text.size());
  out.text = {out.text.data(), out.text.size() + right.text.size()};
  scratch_used_ = static_cast<std::size_t>(end - scratch_.data()) + right.text.size();
  if (right.form == RedoForm::kNational) out.form = RedoForm::kNational;
  return true;
}

/// Most values: a literal with no apostrophe within, and nothing joined to it.
bool RedoScanner::plain_text(RedoValue& out) {
  const std::size_t begin = after_blanks(at_) + 1;
  if (is_relaxed_ || !has(begin - 1, '\'')) return false;
  const std::size_t end = find('\'', begin);
  if (end == std::string_view::npos || has(end + 1, '\'')) return false;
  if (has(after_blanks(end + 1), '|')) return false;
  out.form = RedoForm::kText;
  out.text = between(begin, end);
  at_ = end + 1;
  return true;
}

/// Most fields of an UPDATE or DELETE, as they are printed: "NAME" = '…'.
bool RedoScanner::plain_field(RedoField& out) {
  constexpr std::string_view kBetween = " = '";
  const std::size_t name = after_blanks(at_) + 1;
  if (is_relaxed_ || !has(name - 1, '"')) return false;
  const std::size_t end = find('"', name);
  if (end == std::string_view::npos || end + kBetween.size() >= text_.size()) return false;
  if (std::memcmp(text_.data() + end + 1, kBetween.data(), kBetween.size()) != 0) return false;
  const std::size_t before = std::exchange(at_, end + kBetween.size());
  if (!plain_text(out.value)) {
    at_ = before;
    return false;
  }
  out.column = between(name, end);
  return true;
}

bool RedoScanner::field(RedoField& out, Place place) {
  return plain_field(out) ||
         (column_name(out.column) && expect('=', "= is missing behind a column") &&
          value(out.value, place));
}

bool RedoScanner::any_value(RedoValue& out, Place place) {
  if (!one_value(out, place)) return false;
  for (;;) {
    const std::size_t at = after_blanks(at_);
    if (!has(at, '|') || !has(at + 1, '|')) break;
    at_ = at + 2;
    if (!join(out, place)) return false;
  }
  if (out.form != RedoForm::kNational) return true;
  std::size_t size = out.text.size();
  const bool is_whole = join_surrogates(const_cast<char*>(out.text.data()), size);
  out.text = {out.text.data(), size};
  return is_whole || fail("UNISTR has half a surrogate pair");
}

bool RedoScanner::predicate(std::vector<RedoField>& out, std::string_view& row_id) {
  if (!has(after_blanks(at_), '"') && take_row_id()) {
    return expect('=', "= is missing behind ROWID") && literal(row_id, Place::kWhere);
  }
  RedoField& field = out.emplace_back();
  if (plain_field(field)) return true;
  if (!column_name(field.column)) return false;
  if (take_word("IS")) {
    return expect_word("NULL", "NULL is missing behind IS");
  }
  return expect('=', "= is missing behind a column") && value(field.value, Place::kWhere);
}

bool RedoScanner::predicates(std::vector<RedoField>& out, std::string_view& row_id) {
  do {
    if (!predicate(out, row_id)) return false;
  } while (take_word("AND") || take_word("OR"));
  return true;
}

}  // namespace wherry::oracle
