// Statements kept parsed at the server, by their text. Used by one thread at a time.
// Facts: reference oracle-wire-ttc, 5.10.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/caller.h"
#include "connect/oracle/wire/messages.h"

namespace wherry::oracle {

struct CachedStatement {
  std::string sql;
  std::uint32_t cursor_id = 0;
  std::vector<ColumnDescription> columns;       ///< queries
  std::vector<wire::BindDirection> directions;  ///< PL/SQL: told only at the first execution
  std::uint64_t session_epoch = 0;
};

class StatementCache {
 public:
  StatementCache(std::shared_ptr<Caller> caller, std::size_t capacity)
      : caller_(std::move(caller)), capacity_(capacity) {}

  /// Takes the statement out while it is used, so that the same text can run twice at a time.
  std::optional<CachedStatement> take(std::string_view sql);
  /// The same without taking it; nullptr: it is not there.
  [[nodiscard]] const CachedStatement* find(std::string_view sql) const;
  /// Gives it (back); the one that was not used for the longest time is closed when there are too
  /// many. Without a capacity the statement's own cursor is closed.
  void put(CachedStatement statement);

 private:
  std::shared_ptr<Caller> caller_;
  std::size_t capacity_;
  std::list<CachedStatement> statements_;  ///< least lately used first
};

/// Errors that say that a parsed statement does not fit its table any more.
bool wants_new_parse(const Error& error);
/// Errors that leave the cursor as good as it was: constraint violations.
bool keeps_cursor(std::uint32_t code);

}  // namespace wherry::oracle
