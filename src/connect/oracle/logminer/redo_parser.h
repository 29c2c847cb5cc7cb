// SQL_REDO of INSERT, UPDATE and DELETE in one pass, without a regular expression and, once its
// buffers have grown, without an allocation. Facts: reference oracle-cdc, section 8.
//
// Used by one thread at a time.
#pragma once

#include <string_view>

#include "connect/oracle/logminer/redo_scanner.h"
#include "connect/oracle/logminer/redo_statement.h"

namespace wherry::oracle {

class RedoParser {
 public:
  enum class Quotes : std::uint8_t {
    kStrict,
    /// What is no statement strictly is tried once more with apostrophes that were not doubled
    /// (seen with MAX_STRING_SIZE = EXTENDED): one ends a literal only where the statement goes on
    /// behind it as statements do.
    kRelaxed,
  };
  explicit RedoParser(Quotes quotes = Quotes::kStrict) : quotes_(quotes) {}

  /// `out` has views of `text` and of this object, valid until the next call. False: problem().
  bool parse(std::string_view text, RedoStatement& out);
  [[nodiscard]] const RedoProblem& problem() const { return problem_; }

 private:
  bool parse_once(std::string_view text, bool is_relaxed, RedoStatement& out);
  bool insert(RedoStatement& out);
  bool update(RedoStatement& out);
  bool remove(RedoStatement& out);
  bool where(RedoStatement& out);

  const Quotes quotes_;
  RedoScanner scanner_;
  RedoProblem problem_;
};

}  // namespace wherry::oracle
