// A backlog of the log, read with SQL in parts that follow each other without a pause: the server
// decodes a part into a result that it keeps, and meanwhile decodes or sends the part before.
//
// A part that begins behind another one is read from a temporary copy of the slot, for the slot
// itself stays where the target is. Where the server has no room for a copy, a part is read from
// the slot, after the part before: the server decodes once more what came before, and the caller
// leaves it out.
//
// Used by one thread at a time.
#pragma once

#include <limits>

#include "connect/postgres/catch_up.h"
#include "core/log.h"

namespace wherry::postgres {

class Backlog {
 public:
  struct Range {
    wire::Lsn from = 0;  ///< at or behind what the slot has confirmed
    wire::Lsn until = 0;
    // Of the log. The server keeps the results of two parts, which are about as large.
    std::uint64_t least_part_bytes = 1;
    std::uint64_t most_part_bytes =
        std::numeric_limits<std::uint64_t>::max();  ///< half as much again
  };
  static Result<std::unique_ptr<Backlog>> begin(OpContext& context,
                                                const ConnectionSettings& settings,
                                                std::string slot, Range range, std::string options);

  /// As CatchUp::next(), over all parts. Transactions that were committed before the range, or that
  /// came already, may come.
  Result<CatchUp::State> next(OpContext& context, std::chrono::steady_clock::time_point deadline);
  /// One message of pgoutput, valid until next().
  [[nodiscard]] std::string_view message() const { return current_.answer->message(); }
  [[nodiscard]] wire::Lsn until() const { return range_.until; }
  /// The target has everything before that: the slot may go there, and the following parts cost
  /// less.
  void release(wire::Lsn flushed) { flushed_ = flushed; }

 private:
  Backlog(ConnectionSettings settings, std::string slot, Range range, std::string options)
      : settings_(std::move(settings)),
        slot_(std::move(slot)),
        range_(range),
        options_(std::move(options)),
        begin_(range.from) {}
  [[nodiscard]] wire::Lsn end_of_part(wire::Lsn from, wire::Lsn part_before) const;
  struct Asked {
    CatchUp::Part part;
    std::unique_ptr<CatchUp> answer;
  };
  Result<Asked> ask(OpContext& context, CatchUp::Part part) const;
  /// Has the server begin with the part that follows the current one, which must be decoded when
  /// the slot cannot be copied.
  Result<void> ask_for_following(OpContext& context);
  /// The current part has given nothing but an error: true when it is asked for without a copy.
  Result<bool> ask_without_copy(OpContext& context, const Error& error);

  const ConnectionSettings settings_;
  const std::string slot_;
  const Range range_;
  const std::string options_;
  Asked current_, following_;  ///< no answer: not asked for
  wire::Lsn begin_;            ///< of the current part
  wire::Lsn flushed_ = 0;      ///< the slot is to be moved there; 0: no further
  bool has_message_ = false;   ///< the current part has given one
  bool can_copy_ = true;       ///< the slot
};

}  // namespace wherry::postgres
