#include "connect/oracle/caller.h"

#include <algorithm>

namespace wherry::oracle {

using wire::Message;
using wire::Reader;

namespace {

constexpr std::uint32_t kArrayErrors = 24381;
/// A stop must be obeyed within a second; this much of it may go into levelling the session.
constexpr std::chrono::milliseconds kStopGrace{700};
/// For a server to notice that the rest of a response is not wanted.
constexpr std::chrono::milliseconds kGiveUpPatience{10'000};

bool is_success(std::uint32_t code) {
  return code == 0 || code == wire::kNoDataFound || code == kArrayErrors;
}

}  // namespace

Caller::Caller(std::unique_ptr<Channel> channel, std::chrono::milliseconds call_timeout)
    : channel_(std::move(channel)), call_timeout_(call_timeout), builder_(dialect_) {}

void Caller::set_dialect(const wire::Dialect& dialect) {
  dialect_ = dialect;
  builder_.set_dialect(dialect);
}

void Caller::set_logged_in(const wire::Dialect& dialect) {
  constexpr std::uint8_t kLoginMessages = 2;
  set_dialect(dialect);
  builder_.continue_after(kLoginMessages);
  logged_in_ = true;
  ends_with_mark_ = dialect.end_of_response;
  channel_->expect_end_of_response(dialect.end_of_response);
}

net::Wait Caller::wait_for(const OpContext& context) const {
  net::Wait wait = net::Wait::of(context, call_timeout_);
  wait.until = std::min(wait.until, context.deadline);
  return wait;
}

void Caller::close_cursor_later(std::uint32_t cursor_id) {
  if (cursor_id != 0) cursors_to_close_.push_back(cursor_id);
}

Error Caller::fail(Error error) {
  broken_ = true;
  response_pending_ = false;
  return error;
}

Result<wire::RequestBuilder*> Caller::begin(const OpContext& context) {
  if (broken_) return server_error(3114, "not connected to ORACLE");
  if (context.stop.stop_requested()) return cancelled_error();
  if (response_pending_) WHERRY_TRY(give_up_response(context));
  builder_.begin();
  builder_.close_cursors(cursors_to_close_);
  builder_.free_lobs(lobs_to_free_);
  cursors_to_close_.clear();
  lobs_to_free_.clear();
  return &builder_;
}

Result<void> Caller::send(const OpContext& context) {
  return send(context, builder_.bytes());
}

Result<void> Caller::send(const OpContext& context, wire::ByteView message) {
  result_ = {};
  status_seen_ = false;
  response_pending_ = true;
  ++call_number_;
  auto sent = channel_->send_message(message, wait_for(context));
  if (!sent.ok()) return fail(std::move(sent).error());
  return {};
}

Result<void> Caller::answer_flush(const OpContext& context) {
  const std::uint8_t answer[] = {static_cast<std::uint8_t>(Message::kFlushOutBinds)};
  auto sent = channel_->send_message(answer, wait_for(context));
  if (!sent.ok()) return fail(std::move(sent).error());
  return {};
}

Result<Received> Caller::receive(const OpContext& context) {
  auto received = channel_->receive(wait_for(context));
  if (received.ok()) {
    // Rows before a status that never came are void with it.
    if (received.value() == Received::kReset) status_seen_ = false;
    return received;
  }
  Error error = std::move(received).error();
  const bool can_break = error.kind == ErrorKind::kCancelled || error.code == "net.timeout";
  if (!can_break || !logged_in_ || breaking_) return fail(std::move(error));
  return break_off(std::move(error));
}

Error Caller::break_off(Error cause) {
  const bool is_timeout = cause.code == "net.timeout";
  if (!read_break_answer(is_timeout ? std::max(call_timeout_, kStopGrace) : kStopGrace).ok()) {
    broken_ = true;
  }
  if (!is_timeout) return cause;
  return make_error(ErrorKind::kTransient, "oracle.call_timeout",
                    "The Oracle server did not answer within the call time-out",
                    "Check the load of the server, or raise the time-out");
}

Result<void> Caller::read_break_answer(std::chrono::milliseconds patience) {
  breaking_ = true;
  OpContext grace;
  grace.deadline = net::Clock::now() + patience;
  auto levelled = channel_->send_interrupt(wait_for(grace));
  if (levelled.ok()) levelled = finish(patience);
  breaking_ = false;
  response_pending_ = false;
  return levelled;
}

/// Reads on until the response is complete. The answer to a break is an error; that is its good
/// end.
Result<void> Caller::finish(std::chrono::milliseconds patience) {
  OpContext grace;
  grace.deadline = net::Clock::now() + patience;
  auto message = next(grace);
  if (message.ok()) {
    if (message.value()) return fail(protocol_error("rows came as the answer to a break"));
    return {};
  }
  if (broken_ || response_pending_) return std::move(message).error();
  return {};
}

Result<void> Caller::give_up_response(const OpContext& context) {
  breaking_ = true;
  auto levelled = channel_->abandon(wait_for(context));
  if (levelled.ok()) levelled = finish(std::max(call_timeout_, kGiveUpPatience));
  breaking_ = false;
  if (!levelled.ok()) return fail(std::move(levelled).error());
  return {};
}

Result<std::optional<std::uint8_t>> Caller::peek_type(const OpContext& context) {
  while (channel_->window().empty()) {
    const bool complete =
        ends_with_mark_ ? channel_->has_response_end() && status_seen_ : status_seen_;
    if (complete) return std::optional<std::uint8_t>();
    if (channel_->has_response_end()) {
      return fail(protocol_error("a response ended without a status"));
    }
    WHERRY_TRY(receive(context));
  }
  if (status_seen_ && !ends_with_mark_) return std::optional<std::uint8_t>();
  return std::optional<std::uint8_t>(channel_->window()[0]);
}

Result<std::optional<Message>> Caller::next(const OpContext& context) {
  while (true) {
    WHERRY_ASSIGN(const std::optional<std::uint8_t> type, peek_type(context));
    if (!type) return complete();
    consume(1);
    const auto message = static_cast<Message>(*type);
    switch (message) {
      case Message::kError:
      case Message::kStatus:
      case Message::kWarning:
      case Message::kServerPiggyback:
      case Message::kToken:
        WHERRY_TRY(handle_common(context, message));
        break;
      case Message::kEndOfResponse:
        return complete();
      default:
        return std::optional<Message>(message);
    }
  }
}

Result<std::optional<Message>> Caller::complete() {
  response_pending_ = false;
  if ((call_status_ & wire::kCallSessionReleased) != 0) {
    cursors_to_close_.clear();
    ++session_epoch_;
  }
  // The server lets the running call end; the next one needs a new session.
  if (channel_->shutdown_announced()) broken_ = true;
  if (is_success(result_.code)) return std::optional<Message>();
  if (is_fatal(result_.code)) broken_ = true;
  return server_error(result_.code, result_.text, result_.error_position);
}

Result<void> Caller::handle_common(const OpContext& context, Message type) {
  switch (type) {
    case Message::kError:
      return handle_call_result(context);
    case Message::kStatus: {
      WHERRY_ASSIGN(const auto status,
                    take(context, [this](Reader& in) { return decode_call_status(in, dialect_); }));
      if (!status) return {};
      call_status_ = status->call_status;
      status_seen_ = true;
      return {};
    }
    case Message::kWarning: {
      WHERRY_ASSIGN(const auto warning,
                    take(context, [](Reader& in) { return decode_warning(in); }));
      if (warning && warning->code != 0) {
        warnings_.push_back(warning->text.empty() ? ora_code(warning->code) : warning->text);
      }
      return {};
    }
    case Message::kServerPiggyback:
      WHERRY_TRY(take(context, [](Reader& in) { return decode_server_piggyback(in); }));
      return {};
    default:
      WHERRY_TRY(take(context, [](Reader& in) { return in.ub8(); }));
      return {};
  }
}

Result<void> Caller::handle_call_result(const OpContext& context) {
  WHERRY_ASSIGN(auto result,
                take(context, [this](Reader& in) { return decode_call_result(in, dialect_); }));
  if (!result) return {};
  result_ = *std::move(result);
  call_status_ = result_.call_status;
  status_seen_ = true;
  return {};
}

}  // namespace wherry::oracle
