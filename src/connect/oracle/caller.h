// One call after the other on a session: sends requests, walks through the messages of responses,
// and leaves the session usable after errors, time-outs and stop requests where that is possible.
// Used by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "connect/oracle/channel.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/request.h"
#include "core/op_context.h"
#include "core/result.h"

namespace wherry::oracle {

class Caller {
 public:
  Caller(std::unique_ptr<Channel> channel, std::chrono::milliseconds call_timeout);

  /// Before log-in there is no breaking off: any failure ends the connection.
  void set_logged_in(const wire::Dialect& dialect);
  void set_dialect(const wire::Dialect& dialect);
  [[nodiscard]] const wire::Dialect& dialect() const { return dialect_; }
  /// Replies of protocol and data types negotiation end without the end-of-response mark.
  void expect_end_of_response(bool expected) { ends_with_mark_ = expected; }

  /// Starts a request, with the piggybacks that are due; what is left of an earlier response is
  /// given up first.
  Result<wire::RequestBuilder*> begin(const OpContext& context);
  /// Sends what was built.
  Result<void> send(const OpContext& context);
  /// Sends a message built elsewhere (log-in).
  Result<void> send(const OpContext& context, wire::ByteView message);

  /// The next message that callers care about; its body is to be taken with take() or from
  /// window(). nullopt: the response is complete and result() valid. Status, warnings, state
  /// messages and marks are handled here. A status that reports a failure is an error, except for
  /// the end of rows and array errors.
  Result<std::optional<wire::Message>> next(const OpContext& context);
  /// Decodes a message body, waiting for bytes as needed: Result<std::optional<what decode gives>>.
  /// nullopt: the server broke the call off; go on with next().
  template <class Decode>
  auto take(const OpContext& context, Decode&& decode)
      -> Result<std::optional<std::invoke_result_t<Decode, wire::Reader&>>>;

  // For row streams.
  [[nodiscard]] wire::ByteView window() const { return channel_->window(); }
  void consume(std::size_t count) { channel_->consume(count); }
  Result<Received> receive(const OpContext& context);

  /// How the call ended. Valid after next() gave nullopt.
  [[nodiscard]] const wire::CallResult& result() const { return result_; }
  [[nodiscard]] bool response_pending() const { return response_pending_; }
  /// Number of the last call sent; tells whether a response is still one's own.
  [[nodiscard]] std::uint64_t call_number() const { return call_number_; }
  /// The server waits for this answer to message 19 before it goes on with its response.
  Result<void> answer_flush(const OpContext& context);

  void close_cursor_later(std::uint32_t cursor_id);
  void free_lob_later(std::string locator) { lobs_to_free_.push_back(std::move(locator)); }
  [[nodiscard]] bool transaction_open() const {
    return (call_status_ & wire::kCallInTransaction) != 0;
  }
  /// Changes when the server released the session: cursors from before are gone.
  [[nodiscard]] std::uint64_t session_epoch() const { return session_epoch_; }
  [[nodiscard]] bool is_broken() const { return broken_; }
  void set_broken() { broken_ = true; }
  /// Texts of warnings since the last call of this function.
  std::vector<std::string> take_warnings() { return std::move(warnings_); }
  Channel& channel() { return *channel_; }

 private:
  [[nodiscard]] net::Wait wait_for(const OpContext& context) const;
  Result<void> give_up_response(const OpContext& context);
  /// After a stop or a time-out: gets the session level again, or marks it broken.
  Error break_off(Error cause);
  Result<void> read_break_answer(std::chrono::milliseconds patience);
  Result<void> finish(std::chrono::milliseconds patience);
  Result<std::optional<std::uint8_t>> peek_type(const OpContext& context);
  Result<void> handle_call_result(const OpContext& context);
  Result<void> handle_common(const OpContext& context, wire::Message type);
  Result<std::optional<wire::Message>> complete();
  Error fail(Error error);

  std::unique_ptr<Channel> channel_;
  std::chrono::milliseconds call_timeout_;
  wire::Dialect dialect_;
  wire::RequestBuilder builder_;
  wire::CallResult result_;
  std::uint32_t call_status_ = 0;
  std::uint64_t call_number_ = 0;
  std::uint64_t session_epoch_ = 0;
  std::vector<std::uint32_t> cursors_to_close_;
  std::vector<std::string> lobs_to_free_;
  std::vector<std::string> warnings_;
  bool logged_in_ = false;
  bool ends_with_mark_ = false;
  bool response_pending_ = false;
  bool status_seen_ = false;
  bool breaking_ = false;
  bool broken_ = false;
};

template <class Decode>
auto Caller::take(const OpContext& context, Decode&& decode)
    -> Result<std::optional<std::invoke_result_t<Decode, wire::Reader&>>> {
  using Value = std::invoke_result_t<Decode, wire::Reader&>;
  while (true) {
    wire::Reader in(window(), dialect_.chunks);
    Value value = decode(in);
    if (in.ok()) {
      consume(in.position());
      return std::optional<Value>(std::move(value));
    }
    if (in.state() == wire::ParseState::kMalformed) return fail(protocol_error(in.problem()));
    WHERRY_ASSIGN(const Received received, receive(context));
    if (received == Received::kReset) return std::optional<Value>();
  }
}

}  // namespace wherry::oracle
