#include "connect/oracle/statement_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wherry::oracle {

const CachedStatement* StatementCache::find(std::string_view sql) const {
  const auto found = std::find_if(statements_.begin(), statements_.end(),
                                  [&](const CachedStatement& one) { return one.sql == sql; });
  const bool is_usable =
      found != statements_.end() && found->session_epoch == caller_->session_epoch();
  return is_usable ? &*found : nullptr;
}

std::optional<CachedStatement> StatementCache::take(std::string_view sql) {
  const auto found = std::find_if(statements_.begin(), statements_.end(),
                                  [&](const CachedStatement& one) { return one.sql == sql; });
  if (found == statements_.end()) return std::nullopt;
  CachedStatement statement = std::move(*found);
  statements_.erase(found);
  // The cursors of a session that the server released went with it.
  if (statement.session_epoch != caller_->session_epoch()) return std::nullopt;
  return statement;
}

void StatementCache::put(CachedStatement statement) {
  if (statement.cursor_id == 0) return;
  statement.session_epoch = caller_->session_epoch();
  statements_.push_back(std::move(statement));
  if (statements_.size() <= capacity_) return;
  const CachedStatement& oldest = statements_.front();
  if (oldest.session_epoch == caller_->session_epoch()) {
    caller_->close_cursor_later(oldest.cursor_id);
  }
  statements_.pop_front();
}

bool wants_new_parse(const Error& error) {
  return error.native_code == "ORA-01007" || error.native_code == "ORA-00932";
}

bool keeps_cursor(std::uint32_t code) {
  constexpr std::uint32_t kConstraints[] = {1, 1400, 1407, 1438, 2290, 2291, 2292, 12899};
  return std::find(std::begin(kConstraints), std::end(kConstraints), code) !=
         std::end(kConstraints);
}

}  // namespace wherry::oracle
