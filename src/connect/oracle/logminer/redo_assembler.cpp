#include "connect/oracle/logminer/redo_assembler.h"

#include <algorithm>

namespace wherry::oracle {
namespace {

constexpr int kStart = 6, kCommit = 7, kReplicationMarker = 27, kMissingScn = 34, kRollback = 36;
constexpr int kDdl = 5;

void note(const RedoTableProblem& problem, std::vector<RedoTableProblem>& known) {
  const bool is_told = std::any_of(known.begin(), known.end(), [&](const auto& each) {
    return each.owner == problem.owner && each.table == problem.table;
  });
  if (!is_told) known.push_back(problem);
}

}  // namespace

bool RedoAssembler::is_known(const MinedRow& row) {
  const auto cursor = known_.find(row.thread);
  if (cursor == known_.end() || !row.address.is_known()) return false;
  const Place place{row.address, row.ssn};
  if (place != cursor->second.place) return place < cursor->second.place;
  std::uint64_t& again = again_[row.thread];
  if (again >= cursor->second.rows) return false;
  if (!row.goes_on) ++again;
  return true;
}

void RedoAssembler::note_read(const MinedRow& row) {
  if (!row.address.is_known()) return;
  const Place place{row.address, row.ssn};
  Cursor& cursor = read_[row.thread];
  if (place < cursor.place) return;
  if (place != cursor.place) {
    const auto known = known_.find(row.thread);
    const bool goes_on = known != known_.end() && known->second.place == place;
    cursor = {place, goes_on ? known->second.rows : 0};
  }
  ++cursor.rows;
}

bool RedoAssembler::join(const MinedRow& row) {
  whole_ = row;
  const Place of_row{row.address, row.ssn};
  // A step that ended between two pieces may begin with the first of them again.
  const bool is_again = is_text_of_earlier_step_ && row.goes_on && row.sql_redo == first_piece_;
  is_text_of_earlier_step_ = false;
  if (!has_text_ || of_row != text_of_ || is_again) {
    has_text_ = false;
    if (!row.goes_on) return true;
    text_ = first_piece_ = row.sql_redo;
    text_of_ = of_row;
    has_text_ = true;
    return false;
  }
  text_ += row.sql_redo;
  if (row.goes_on) return false;
  has_text_ = false;
  whole_.sql_redo = text_;
  return true;
}

Result<std::optional<RedoTransaction>> RedoAssembler::take(const MinedRow& row) {
  is_ddl_ = false;
  if (is_known(row)) return std::optional<RedoTransaction>();
  if (!join(row)) return std::optional<RedoTransaction>();
  note_read(row);
  return take_whole(whole_);
}

void RedoAssembler::go_on_behind_read(bool has_all_rows) {
  for (const auto& [thread, cursor] : read_) {
    Cursor& known = known_[thread];
    if (cursor.place < known.place) continue;
    known = cursor;
    if (has_all_rows) known.rows = kAllRows;
  }
  again_.clear();
}

void RedoAssembler::end_step() {
  is_text_of_earlier_step_ = has_text_;
  go_on_behind_read(true);
}

void RedoAssembler::break_step() {
  has_text_ = is_text_of_earlier_step_ = false;  // it comes again, whole
  go_on_behind_read(false);
}

void RedoAssembler::begin_at(std::uint32_t thread, const RedoAddress& floor) {
  known_[thread] = {{floor, 0}, 0};
}

std::map<std::uint32_t, RedoAddress> RedoAssembler::floors() const {
  std::map<std::uint32_t, RedoAddress> out;
  for (const auto* cursors : {&known_, &read_}) {
    for (const auto& [thread, cursor] : *cursors) {
      RedoAddress& floor = out[thread];
      floor = std::max(floor, cursor.place.address);
    }
  }
  for (const auto& [key, transaction] : transactions_) {
    if (!transaction.has_rows || !transaction.open.first_address.is_known()) continue;
    RedoAddress& floor = out[transaction.open.thread];
    floor = std::min(floor, transaction.open.first_address);
  }
  return out;
}

Result<std::optional<RedoTransaction>> RedoAssembler::take_whole(const MinedRow& row) {
  switch (row.operation_code) {
    case kStart:
      start(row);
      break;
    case kCommit:
      return commit(row);
    case kRollback:
      forget(find(row.transaction));
      break;
    case kReplicationMarker:
      forget(transactions_.find(row.transaction));
      break;
    case kMissingScn:
      return make_error(ErrorKind::kInternal, "oracle.redo_gap",
                        "LogMiner has found a gap in the redo at SCN " + std::to_string(row.scn),
                        "Restore the logs that are missing, or load the tables again");
    case kDdl:
      is_ddl_ = true;
      break;
    default:
      WHERRY_TRY(add(row));
  }
  return std::optional<RedoTransaction>();
}

void RedoAssembler::start(const MinedRow& row) {
  if (row.transaction.is_none()) return;
  // A second one: the slot is used again, or the rows come again. What there was does not count.
  forget(transactions_.find(row.transaction));
  Transaction& made = transactions_[row.transaction];
  made.open = {row.transaction, row.scn, row.thread, row.address, row.time_micros, 0};
  made.user = row.user;
}

std::map<TransactionKey, RedoAssembler::Transaction>::iterator RedoAssembler::find(
    const TransactionKey& key) {
  if (!key.is_partial()) return transactions_.find(key);
  // At most one is open in a slot.
  const auto found = transactions_.lower_bound({key.container, key.segment, key.slot, 0});
  const bool is_slot = found != transactions_.end() && found->first.container == key.container &&
                       found->first.segment == key.segment && found->first.slot == key.slot;
  return is_slot ? found : transactions_.end();
}

void RedoAssembler::forget(std::map<TransactionKey, Transaction>::iterator transaction) {
  if (transaction == transactions_.end()) return;
  used_bytes_ -= transaction->second.builder.used_bytes();
  transactions_.erase(transaction);
}

Result<void> RedoAssembler::add(const MinedRow& row) {
  auto found = find(row.transaction);
  if (found == transactions_.end()) {
    // What is not there has nothing that could be undone.
    if (row.transaction.is_none() || row.transaction.is_partial() || row.is_undo) return {};
    start(row);
    found = transactions_.find(row.transaction);
  }
  found->second.has_rows = true;
  if (found->second.user.empty()) found->second.user = row.user;
  found_.clear();
  TransactionBuilder& builder = found->second.builder;
  used_bytes_ -= builder.used_bytes();
  const auto added = builder.add(row, readers_, found_);
  used_bytes_ += builder.used_bytes();
  for (const RedoTableProblem& problem : found_) {
    if (!problem.has_hidden_change) note(problem, found->second.problems);
    note(problem, problems_);
  }
  WHERRY_TRY(added);
  return make_room();
}

/// The largest transaction goes out of memory.
Result<void> RedoAssembler::make_room() {
  constexpr std::size_t kLeastBytes = 64 * 1024;  // less is not worth a file
  if (store_ == nullptr || used_bytes_ <= memory_bytes_) return {};
  TransactionBuilder* largest = nullptr;
  for (auto& [key, transaction] : transactions_) {
    const bool is_larger =
        largest == nullptr || transaction.builder.used_bytes() > largest->used_bytes();
    if (is_larger) largest = &transaction.builder;
  }
  if (largest == nullptr || largest->used_bytes() < kLeastBytes) return {};
  used_bytes_ -= largest->used_bytes();
  auto spilled = largest->spill(*store_);
  used_bytes_ += largest->used_bytes();
  return spilled;
}

std::optional<RedoTransaction> RedoAssembler::commit(const MinedRow& row) {
  const auto found = find(row.transaction);
  if (found == transactions_.end()) return std::nullopt;
  RedoTransaction out;
  out.key = found->first;
  out.user = std::move(found->second.user);
  out.commit_scn = row.scn;
  out.commit_micros = row.time_micros;
  out.thread = row.thread;
  out.commit_address = row.address;
  used_bytes_ -= found->second.builder.used_bytes();
  found->second.builder.finish(out);
  out.problems = std::move(found->second.problems);
  transactions_.erase(found);
  if (out.changes.empty() && out.spilled.empty() && out.problems.empty()) return std::nullopt;
  return out;
}

std::vector<RedoAssembler::Open> RedoAssembler::open() const {
  std::vector<Open> out;
  for (const auto& [key, transaction] : transactions_) {
    if (!transaction.has_rows) continue;
    out.push_back(transaction.open);
    out.back().change_count = transaction.builder.change_count();
  }
  std::sort(out.begin(), out.end(), [](const Open& a, const Open& b) {
    return std::tie(a.first_scn, a.thread, a.first_address) <
           std::tie(b.first_scn, b.thread, b.first_address);
  });
  return out;
}

}  // namespace wherry::oracle
