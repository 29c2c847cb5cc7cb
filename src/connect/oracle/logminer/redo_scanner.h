// The tokens of SQL_REDO. A cursor over one text; texts that are not as they are printed come from
// a scratch buffer that is as large as the text, so nothing is allocated once it is large enough.
//
// Used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

  void skip_blanks();
  /// Nothing but blanks and one `;` is left.
  bool at_end();
  /// Takes a character, blanks before it; false: another one comes, and nothing was taken.
  bool take(char wanted);
  /// Takes a word in letters of either case, blanks before it.
  bool take_word(std::string_view capitals);
  /// An unquoted identifier, empty when there is none.
  std::string_view take_identifier();
  bool expect(char wanted, std::string_view what);
  bool expect_word(std::string_view capitals, std::string_view what);

  /// "NAME"
  bool quoted_name(std::string_view& out);
  /// "OWNER"."NAME" or "NAME".
  bool object_name(std::string_view& owner, std::string_view& name);
  /// A column, with an alias before it or not.
  bool column_name(std::string_view& out);
  /// The word ROWID with an alias before it or not.
  bool take_row_id();
  /// '…' with doubled apostrophes.
  bool literal(std::string_view& out, Place place);
  bool value(RedoValue& out, Place place);
  /// Any number of predicates joined by AND; stops before what is none.
  bool predicates(std::vector<RedoField>& out, std::string_view& row_id);

 private:
  bool relaxed_literal(std::string_view& out, Place place);
  [[nodiscard]] bool may_follow(std::size_t at, Place place) const;
  [[nodiscard]] bool follows_column(std::size_t at) const;
  [[nodiscard]] std::size_t after_blanks(std::size_t at) const;
  [[nodiscard]] bool has_word(std::size_t at, std::string_view capitals) const;
  void take_hint(RedoValue& out);
  bool number(RedoValue& out);
  bool bind(RedoValue& out);
  bool call(std::string_view name, RedoValue& out, Place place);
  bool argument(RedoValue& out, Place place);
  bool national(std::string_view text, RedoValue& out);
  bool join(RedoValue& out, Place place);
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
