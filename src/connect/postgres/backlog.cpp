#include "connect/postgres/backlog.h"

#include <algorithm>
#include <utility>

#include "connect/postgres/replication.h"

namespace wherry::postgres {

wire::Lsn Backlog::end_of_part(wire::Lsn from, wire::Lsn part_before) const {
  // The target has nothing to do before the first part is decoded; then it has more and more. Each
  // part costs, for what comes before it is decoded too, though not sent.
  const wire::Lsn left = range_.until - from;
  const wire::Lsn wanted = part_before == 0 ? left / 3 : 2 * part_before;
  const wire::Lsn part = std::clamp(wanted, range_.least_part_bytes, range_.most_part_bytes);
  return left <= part + part / 2 ? range_.until : from + part;
}

Result<std::unique_ptr<Backlog>> Backlog::begin(OpContext& context,
                                                const ConnectionSettings& settings,
                                                std::string slot, Range range,
                                                std::string options) {
  std::unique_ptr<Backlog> out(new Backlog(settings, std::move(slot), range, std::move(options)));
  WHERRY_ASSIGN(out->current_, out->ask(context, {0, out->end_of_part(range.from, 0)}));
  WHERRY_TRY(out->ask_for_following(context));
  return out;
}

Result<Backlog::Asked> Backlog::ask(OpContext& context, CatchUp::Part part) const {
  WHERRY_ASSIGN(auto answer, CatchUp::begin(context, settings_, slot_, part, options_));
  context.log.info("reading the backlog of the source's log",
                   {{"after", lsn_text(part.after)}, {"until", lsn_text(part.until)}});
  return Asked{part, std::move(answer)};
}

Result<void> Backlog::ask_for_following(OpContext& context) {
  const wire::Lsn begin = current_.part.until;
  if (begin == range_.until || following_.answer != nullptr) return {};
  OpContext unhurried = context;
  unhurried.deadline = std::chrono::steady_clock::time_point::max();
  const bool is_slot_free = current_.part.after != 0 || has_message_;
  const CatchUp::Part part{can_copy_ ? begin : 0, end_of_part(begin, begin - begin_),
                           is_slot_free ? std::exchange(flushed_, 0) : 0};
  WHERRY_ASSIGN(following_, ask(unhurried, part));
  return {};
}

Result<bool> Backlog::ask_without_copy(OpContext& context, const Error& error) {
  const bool was_copy = current_.part.after != 0 && !has_message_;
  if (!was_copy || error.kind == ErrorKind::kCancelled) return false;
  context.log.info("the replication slot cannot be copied, so some of the log is decoded again",
                   {{"slot", slot_}, {"cause", error.to_log_text()}});
  can_copy_ = false;
  following_ = {};  // it has no copy either
  WHERRY_ASSIGN(current_, ask(context, {0, current_.part.until}));
  return true;
}

Result<CatchUp::State> Backlog::next(OpContext& context,
                                     std::chrono::steady_clock::time_point deadline) {
  using State = CatchUp::State;
  for (;;) {
    auto state = current_.answer->next(context, deadline);
    if (!state) {
      WHERRY_ASSIGN(const bool is_asked_again, ask_without_copy(context, state.error()));
      if (is_asked_again) continue;
      return state;
    }
    if (*state == State::kNothing || (*state == State::kMessage && has_message_)) return state;
    has_message_ = true;
    // The server has decoded the current part, and the slot is free.
    WHERRY_TRY(ask_for_following(context));
    if (*state == State::kMessage || following_.answer == nullptr) return state;
    begin_ = current_.part.until;
    current_ = std::exchange(following_, {});
    has_message_ = false;
    if (can_copy_) WHERRY_TRY(ask_for_following(context));
  }
}

}  // namespace wherry::postgres
