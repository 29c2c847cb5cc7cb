// Habits of databases that make life hard for readers of their redo. All are on, as they are with
// databases; each can be turned off alone, to see which of them something fails on. Thread-safe.
#pragma once

#include <atomic>
#include <string_view>

namespace orasim {

struct Habits {
  using Flag = std::atomic<bool>;
  /// Redo of a transaction goes to the log when it ends, when there is much of it, or at a switch;
  /// by then changes of others with higher SCNs may lie before it. Off: at once.
  Flag private_strands{true};
  /// Half of the transactions that are rolled back have their redo of that under a partial XID.
  Flag partial_xids{true};
  /// What is taken back stays in the redo, with what takes it back. Off: as far as it was not
  /// written yet, nothing of it is.
  Flag undo_rows{true};
  /// Rows of LOB columns come without their ROWIDs.
  Flag placeholder_row_ids{true};
  /// Texts are in the formats of the session that reads. Off: in those of ISO.
  Flag session_formats{true};
  /// Pieces of a long text end anywhere, inside an escape too. Off: behind a blank or a comma.
  Flag cut_anywhere{true};
  /// An online log is overwritten while it is read: ORA-00310. Off: it goes on being read.
  Flag overwritten_logs{true};
  /// Rows are named by the dictionary of now, and without names when they are of another
  /// definition. Off: by the definition that they were written with.
  Flag newest_names{true};
  /// Open transactions are shown without the SCN that they began at, as databases do at times. Off
  /// unless it is asked for.
  Flag hidden_start_scns{false};

  /// By its name in ALTER SYSTEM, without _ORASIM_; nullptr: there is none.
  Flag* find(std::string_view name) {
    struct Named {
      std::string_view name;
      Flag Habits::*flag;
    };
    static constexpr Named kNamed[] = {{"private_strands", &Habits::private_strands},
                                       {"partial_xids", &Habits::partial_xids},
                                       {"undo_rows", &Habits::undo_rows},
                                       {"placeholder_row_ids", &Habits::placeholder_row_ids},
                                       {"session_formats", &Habits::session_formats},
                                       {"cut_anywhere", &Habits::cut_anywhere},
                                       {"overwritten_logs", &Habits::overwritten_logs},
                                       {"newest_names", &Habits::newest_names},
                                       {"hide_start_scns", &Habits::hidden_start_scns}};
    for (const Named& each : kNamed) {
      if (each.name == name) return &(this->*each.flag);
    }
    return nullptr;
  }
};

}  // namespace orasim
