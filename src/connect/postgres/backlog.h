// A backlog of the log, read with SQL in parts that follow each other without a pause: the server
// decodes a part into a result that it keeps, and sends the result of the part before meanwhile.
//
// A part that begins behind another one is read from a temporary copy of the slot, for the slot
// itself stays where the target is. Where the server has no room for a copy, a part is read from
// the slot: the server decodes once more what came before, and the caller leaves it out.
//
// Used by one thread at a time.
#pragma once

#include "connect/postgres/catch_up.h"
#include "core/log.h"

namespace wherry::postgres {

class Backlog {
 public:
  struct Range {
    wire::Lsn from = 0;  ///< at or behind what the slot has confirmed
    wire::Lsn until = 0;
    std::uint64_t least_part_bytes = 1;  ///< of the log; more are one part up to twice that
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

 private:
  Backlog(ConnectionSettings settings, std::string slot, Range range, std::string options)
      : settings_(std::move(settings)),
        slot_(std::move(slot)),
        range_(range),
        options_(std::move(options)) {}
  [[nodiscard]] wire::Lsn end_of_part(wire::Lsn from) const;
  struct Asked {
    CatchUp::Part part;
    std::unique_ptr<CatchUp> answer;
  };
  Result<Asked> ask(OpContext& context, CatchUp::Part part) const;
  /// Has the server begin with the part that follows the current one.
  Result<void> ask_for_following(OpContext& context);
  /// The current part has given nothing but an error: true when it is asked for without a copy.
  Result<bool> ask_without_copy(OpContext& context, const Error& error);

  const ConnectionSettings settings_;
  const std::string slot_;
  const Range range_;
  const std::string options_;
  Asked current_, following_;  ///< no answer: not asked for
  bool has_message_ = false;   ///< the current part has given one
  bool can_copy_ = true;       ///< the slot
};

}  // namespace wherry::postgres
