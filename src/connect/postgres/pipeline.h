// Several statements on their way at once: libpq's pipeline mode, in which the server's answers are
// read after everything has been sent. What is sent while the server still works waits in the
// sockets, and answers are taken in meanwhile, so that neither side waits for the other for ever.
//
// Used by one thread at a time; between enter and finish() the connection does nothing else.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connect/postgres/connection.h"

namespace wherry::postgres {

class Pipeline {
 public:
  explicit Pipeline(Connection& connection);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Each is one statement with one answer; they are numbered from 0 in the order sent.
  Result<void> prepare(OpContext& context, const std::string& name, const std::string& sql);
  /// Parameters in binary form, a null pointer for NULL; so comes the answer.
  Result<void> execute(OpContext& context, const std::string& name,
                       std::span<const std::string_view> parameters);
  /// One statement without parameters, not prepared.
  Result<void> run(OpContext& context, const std::string& sql);

  /// The answer to a statement.
  class Answer {
   public:
    explicit Answer(const pg_result* result) : result_(result) {}
    [[nodiscard]] std::uint64_t affected_rows() const;
    [[nodiscard]] int count() const;
    /// Column 0 of the row, an int8.
    [[nodiscard]] std::int64_t big_integer(int row) const;

   private:
    const pg_result* result_;
  };
  using Reader = std::function<void(std::size_t statement, const Answer&)>;
  /// Waits for all answers and leaves the mode, also after an error. The error is the first
  /// statement's that failed; failed() has its number, and those after it were not executed.
  Result<void> finish(OpContext& context, std::string_view action, const Reader& reader);
  [[nodiscard]] std::optional<std::size_t> failed() const { return failed_; }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  Result<void> sent(OpContext& context, bool is_sent);

  Connection& connection_;
  std::size_t count_ = 0;
  std::optional<std::size_t> failed_;
};

}  // namespace wherry::postgres
