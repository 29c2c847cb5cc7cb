// What a target transaction will have done, once it is committed: its counts, what it leaves out
// and the transactions that it applies; and the decisions of the error policies on the way there.
#pragma once

#include <vector>

#include "engine/changes/lane_shared.h"
#include "engine/changes/window.h"

namespace wherry::engine {

class GroupOutcome {
 public:
  explicit GroupOutcome(const LaneShared& shared) : shared_(shared) {}
  /// A target transaction begins.
  void reset();

  /// Changes that are executed, whatever became of them.
  void count(const WindowChange& change);
  /// … but this one was not: count() counts it.
  void leave_out(const WindowChange& change);
  /// Of a barrier: truncations and statements; `are_done`: they were not left out.
  void count_ddls(const Window& window, bool are_done = true);
  void count_conflict(const TableRoute& table) { ++count_of(table).conflicts; }
  void count_rows(std::size_t rows) { rows_ += rows; }
  [[nodiscard]] ApplyProgress& progress() const { return shared_.progress; }
  void add(const StreamTransaction& transaction) { transactions_.push_back(transaction); }
  void add(const std::vector<StreamTransaction>& transactions);

  [[nodiscard]] Verdict judge(ChangeFault fault, const TableRoute& table) const;
  /// Does what the verdict says with a change that is not applied; an error ends the task.
  Result<void> decide(const WindowChange& change, ChangeFault fault, const Verdict& verdict,
                      const Error& error);
  Result<void> suspend(const TableRoute& table, const Verdict& verdict, const Error& error);

  [[nodiscard]] const std::vector<connect::ApplyException>& exceptions() const {
    return exceptions_;
  }
  [[nodiscard]] const std::vector<StreamTransaction>& transactions() const { return transactions_; }
  /// It is committed: tells the progress and the events.
  void settle();

 private:
  struct Count {
    const TableRoute* table = nullptr;
    std::uint64_t inserts = 0, updates = 0, deletes = 0, ddls = 0;
    std::uint64_t conflicts = 0, data_errors = 0;
    ChangeNumbers settled;  ///< with what was left out; ddls: of barriers

    std::uint64_t& of(connect::ChangeKind kind);
  };
  Count& count_of(const TableRoute& table);

  const LaneShared& shared_;
  std::vector<connect::ApplyException> exceptions_;
  std::vector<Count> counts_;  ///< by TableRoute::index
  std::vector<StreamTransaction> transactions_;
  std::uint64_t changes_ = 0, rows_ = 0;
};

}  // namespace wherry::engine
