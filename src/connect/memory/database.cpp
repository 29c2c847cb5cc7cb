#include "connect/memory/database.h"

#include <algorithm>

namespace wherry::memory {

void Database::commit(Tables tables, std::optional<std::vector<LoggedChange>> changes) {
  const auto before = history_.at(version_);
  ++version_;
  const auto after = std::make_shared<const Tables>(std::move(tables));
  history_[version_] = after;
  if (log_begin_) {
    auto logged = std::make_shared<LoggedCommit>();
    logged->version = version_;
    logged->time = std::chrono::system_clock::now();
    logged->changes = changes ? *std::move(changes) : difference(*before, *after);
    log_[version_] = std::move(logged);
  }
  committed_.notify_all();
}

Result<void> Database::transact(const std::function<Result<void>(Transaction&)>& work) {
  std::lock_guard lock(mutex_);
  Tables tables = *history_.at(version_);
  Transaction transaction(tables);
  WHERRY_TRY(work(transaction));
  commit(std::move(tables), transaction.take_changes());
  return {};
}

std::uint64_t Database::keep_log(const std::string& slot) {
  std::lock_guard lock(mutex_);
  if (!log_begin_) log_begin_ = version_;
  if (!slot.empty()) slots_[slot] = version_;
  return version_;
}

void Database::drop_slot(const std::string& slot) {
  std::lock_guard lock(mutex_);
  slots_.erase(slot);
}

Result<LoggedCommitPtr> Database::logged_after(std::uint64_t version) const {
  std::lock_guard lock(mutex_);
  if (!log_begin_ || version < *log_begin_ || version > version_) {
    return make_error(
        ErrorKind::kPositionLost, "memory.log_lost",
        "the database no longer has its changes after version " + std::to_string(version),
        "Load again with --start reload-target");
  }
  const auto found = log_.upper_bound(version);
  return found == log_.end() ? LoggedCommitPtr() : found->second;
}

void Database::forget_log(std::uint64_t version) {
  std::lock_guard lock(mutex_);
  if (!log_begin_) return;
  log_begin_ = std::max(*log_begin_, version);
  log_.erase(log_.begin(), log_.upper_bound(version));
}

std::uint64_t Database::confirmed() const {
  std::lock_guard lock(mutex_);
  return confirmed_;
}

void Database::confirm(const std::string& slot, std::uint64_t version) {
  std::uint64_t least = version;
  {
    std::lock_guard lock(mutex_);
    confirmed_ = std::max(confirmed_, version);
    slots_[slot] = version;
    for (const auto& [name, confirmed] : slots_) least = std::min(least, confirmed);
  }
  forget_log(least);
}

void Database::wait_for_version(OpContext& context, std::uint64_t version) const {
  std::unique_lock lock(mutex_);
  const auto is_there = [&] { return version_ > version; };
  if (context.deadline == std::chrono::steady_clock::time_point::max()) {
    committed_.wait(lock, context.stop, is_there);
  } else {
    committed_.wait_until(lock, context.stop, context.deadline, is_there);
  }
}

void Database::put(schema::TableDef definition, std::vector<Row> rows) {
  for (const Row& row : rows) {
    WHERRY_ASSERT(row.size() == definition.columns.size(),
                  "a row has other columns than its table");
  }
  const schema::TableRef name = definition.table;
  auto table = std::make_shared<const Table>(Table{std::move(definition), std::move(rows)});
  std::lock_guard lock(mutex_);
  Tables tables = *history_.at(version_);
  tables[name] = std::move(table);
  commit(std::move(tables));
}

void Database::drop(const schema::TableRef& table) {
  std::lock_guard lock(mutex_);
  Tables tables = *history_.at(version_);
  tables.erase(table);
  commit(std::move(tables));
}

Result<void> Database::change(const schema::TableRef& table,
                              const std::function<Result<void>(Table&)>& edit) {
  std::lock_guard lock(mutex_);
  Tables tables = *history_.at(version_);
  const auto found = tables.find(table);
  if (found == tables.end()) {
    return make_error(ErrorKind::kSchema, "memory.unknown_table", "the table does not exist",
                      "Create it first")
        .with("table", schema::to_text(table));
  }
  Table edited = *found->second;
  WHERRY_TRY(edit(edited));
  found->second = std::make_shared<const Table>(std::move(edited));
  commit(std::move(tables));
  return {};
}

TablePtr Database::find(const schema::TableRef& table) const {
  std::lock_guard lock(mutex_);
  const Tables& tables = *history_.at(version_);
  const auto found = tables.find(table);
  return found == tables.end() ? nullptr : found->second;
}

std::uint64_t Database::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

std::shared_ptr<const Tables> Database::as_of(std::uint64_t version) const {
  std::lock_guard lock(mutex_);
  const auto found = history_.find(version);
  return found == history_.end() ? nullptr : found->second;
}

void Database::add_foreign_key(ForeignKey key) {
  std::lock_guard lock(mutex_);
  foreign_keys_.push_back(std::move(key));
}

std::vector<ForeignKey> Database::foreign_keys() const {
  std::lock_guard lock(mutex_);
  return foreign_keys_;
}

Result<void> Database::apply(const std::function<Result<void>(Tables&, ApplyState&)>& edit) {
  std::lock_guard lock(mutex_);
  Tables tables = *history_.at(version_);
  ApplyState state = *apply_states_.rbegin()->second;
  WHERRY_TRY(edit(tables, state));
  commit(std::move(tables));
  apply_states_[version_] = std::make_shared<const ApplyState>(std::move(state));
  return {};
}

std::shared_ptr<const ApplyState> Database::apply_state(
    std::optional<std::uint64_t> version) const {
  std::lock_guard lock(mutex_);
  if (!version) return apply_states_.rbegin()->second;
  if (!history_.contains(*version)) return nullptr;
  return std::prev(apply_states_.upper_bound(*version))->second;
}

void Database::forget_history() {
  std::lock_guard lock(mutex_);
  history_.erase(history_.begin(), history_.find(version_));
}

void Database::set_password(std::string password) {
  std::lock_guard lock(mutex_);
  password_ = std::move(password);
}

bool Database::accepts(const Secret& password) const {
  std::lock_guard lock(mutex_);
  return !password_ || password.reveal() == *password_;
}

bool Database::record(const std::string& load_id, std::span<const connect::DoneChunk> chunks) {
  std::lock_guard lock(ledger_mutex_);
  auto& known = ledger_[load_id];
  for (const connect::DoneChunk& chunk : chunks) {
    const bool is_twice = std::any_of(known.begin(), known.end(), [&](const auto& other) {
      return other.table == chunk.table && other.attempt == chunk.attempt &&
             other.chunk == chunk.chunk;
    });
    if (is_twice) return false;
  }
  known.insert(known.end(), chunks.begin(), chunks.end());
  return true;
}

std::vector<connect::DoneChunk> Database::recorded(const std::string& load_id) const {
  std::lock_guard lock(ledger_mutex_);
  const auto found = ledger_.find(load_id);
  return found == ledger_.end() ? std::vector<connect::DoneChunk>() : found->second;
}

void Database::forget_records(const std::string& load_id) {
  std::lock_guard lock(ledger_mutex_);
  ledger_.erase(load_id);
}

}  // namespace wherry::memory
