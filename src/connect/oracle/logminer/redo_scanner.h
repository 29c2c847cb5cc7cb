// The tokens of SQL_REDO. A cursor over one text; texts that are not as they are printed come from
// a scratch buffer that is as large as the text, so nothing is allocated once it is large enough.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "connect/oracle/logminer/bytes_at_once.h"
#include "connect/oracle/logminer/letters.h"
#include "connect/oracle/logminer/redo_statement.h"

namespace wherry::oracle {

/// Why a text was not understood. Never has data of the text.
struct RedoProblem {
  std::string_view what;  ///< static
  std::size_t at = 0;     ///< byte of the text
};

class RedoScanner {
 public:
  /// What may follow a literal that is not understood strictly.
  enum class Place : std::uint8_t { kValues, kSet, kWhere };

  /// Views of values are valid until the next start().
  void start(std::string_view text, bool is_relaxed = false);

  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void move_to(std::size_t position) { at_ = position; }
  [[nodiscard]] const RedoProblem& problem() const { return problem_; }
  /// Notes the first problem; always false.
  bool fail(std::string_view what);

  void skip_blanks() { at_ = after_blanks(at_); }
  /// Nothing but blanks and one `;` is left.
  bool at_end();
  /// Takes a character, blanks before it; false: another one comes, and nothing was taken.
  [[gnu::always_inline]] bool take(char wanted) {
    const std::size_t at = after_blanks(at_);
    if (!has(at, wanted)) return false;
    at_ = at + 1;
    return true;
  }
  /// Takes a word in letters of either case, blanks before it.
  [[gnu::always_inline]] bool take_word(const PackedWord& word) {
    const std::size_t at = after_blanks(at_);
    if (!has_word(at, word)) return false;
    at_ = at + word.capitals.size();
    return true;
  }
  /// An unquoted identifier, empty when there is none.
  std::string_view take_identifier();
  [[gnu::always_inline]] bool expect(char wanted, std::string_view what) {
    return take(wanted) || fail(what);
  }
  [[gnu::always_inline]] bool expect_word(const PackedWord& word, std::string_view what) {
    return take_word(word) || fail(what);
  }

  /// "NAME"
  bool quoted_name(std::string_view& out);
  /// "OWNER"."NAME" or "NAME".
  bool object_name(std::string_view& owner, std::string_view& name);
  /// A column, with an alias before it or not.
  [[gnu::always_inline]] bool column_name(std::string_view& out) {
    const std::size_t begin = after_blanks(at_) + 1;
    const std::size_t end = has(begin - 1, '"') ? find('"', begin) : std::string_view::npos;
    if (end == std::string_view::npos) return any_column_name(out);
    out = between(begin, end);
    at_ = end + 1;
    return true;
  }
  /// The word ROWID with an alias before it or not.
  bool take_row_id();
  /// '…' with doubled apostrophes.
  bool literal(std::string_view& out, Place place);
  /// `out` is as it was made.
  bool value(RedoValue& out, Place place) { return plain_text(out) || any_value(out, place); }
  /// A column, = and a value.
  bool field(RedoField& out, Place place);
  /// Any number of predicates joined by AND; stops before what is none.
  bool predicates(std::vector<RedoField>& out, std::string_view& row_id);

 private:
  bool relaxed_literal(std::string_view& out, Place place);
  [[nodiscard]] bool may_follow(std::size_t at, Place place) const;
  [[nodiscard]] bool follows_column(std::size_t at) const;
  [[gnu::always_inline]] [[nodiscard]] std::size_t after_blanks(std::size_t at) const {
    if (has(at, ' ')) ++at;  // one or none, as nearly always
    return at < text_.size() && text_[at] > ' ' ? at : after_more_blanks(at);
  }
  [[nodiscard]] std::size_t after_more_blanks(std::size_t at) const;
  [[nodiscard]] bool has(std::size_t at, char c) const {
    return at < text_.size() && text_[at] == c;
  }
  [[gnu::always_inline]] [[nodiscard]] bool has_word(std::size_t at, const PackedWord& word) const {
    if (at + sizeof(std::uint64_t) >= text_.size()) {
      return at < text_.size() && has_last_word(at, word.capitals);
    }
    std::uint64_t next = 0;
    std::memcpy(&next, text_.data() + at, sizeof next);
    return (next & word.mask) == word.word && !is_word_part(text_[at + word.capitals.size()]);
  }
  /// Anywhere, also where fewer bytes are left than has_word() compares at once.
  [[nodiscard]] bool has_last_word(std::size_t at, std::string_view capitals) const;
  /// Up to `end`, which lies within the text.
  [[nodiscard]] std::string_view between(std::size_t begin, std::size_t end) const {
    return {text_.data() + begin, end - begin};
  }
  /// Where the character is next, from `at` on; npos: it is not there.
  [[gnu::always_inline, nodiscard]] std::size_t find(char wanted, std::size_t at) const {
    return find_byte(text_, wanted, at);
  }
  void take_hint(RedoValue& out);
  bool number(RedoValue& out);
  bool bind(RedoValue& out);
  bool call(std::string_view name, RedoValue& out, Place place);
  bool argument(RedoValue& out, Place place);
  bool national(std::string_view text, RedoValue& out);
  bool join(RedoValue& out, Place place);
  bool plain_text(RedoValue& out);
  bool any_value(RedoValue& out, Place place);
  bool any_column_name(std::string_view& out);
  bool plain_field(RedoField& out);
  bool one_value(RedoValue& out, Place place);
  bool predicate(std::vector<RedoField>& out, std::string_view& row_id);
  char* scratch(std::size_t size);

  std::string_view text_;
  std::size_t at_ = 0;
  bool is_relaxed_ = false;
  int depth_ = 0;  ///< within calls
  RedoProblem problem_;
  std::string scratch_;
  std::size_t scratch_used_ = 0;
};

}  // namespace wherry::oracle
