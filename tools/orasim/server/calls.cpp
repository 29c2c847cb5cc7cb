#include "server/calls.h"

#include <chrono>
#include <thread>
#include <utility>

#include "engine/error.h"
#include "wire/auth.h"
#include "wire/o5logon.h"
#include "wire/response.h"

namespace orasim::server {

using wire::CallStatus;
using wire::Function;
using wire::Message;

namespace {

constexpr std::chrono::milliseconds kBreakAnswerTime{10};

}  // namespace

Calls::Calls(Channel& channel, const Shared& shared, BreakWatch& watch, Login login)
    : channel_(channel),
      shared_(shared),
      watch_(watch),
      login_(std::move(login)),
      session_(*login_.session),
      authenticator_(shared.options.effective_verifier(), shared.database) {
  authenticator_.resume(login_.user, login_.key);
}

Calls::~Calls() {
  end_watch();
}

void Calls::run() {
  for (;;) {
    try {
      serve_request();
    } catch (const MarkerArrived& arrived) {
      answer_marker(arrived.marker);
    }
  }
}

void Calls::serve_request() {
  wire::Bytes buffer;
  wire::Reader in(buffer, channel_);
  in.use_small_chunks(login_.dialect.small_chunks);
  std::uint32_t failed_cursor = 0;
  piggybacks_.clear();
  break_seen_ = false;
  in.peek();  // idle until here
  try {
    read_and_run(in, failed_cursor);
  } catch (const OraError& error) {
    end_watch();
    if (break_seen_.exchange(false)) {
      answer_break(error);
    } else {
      finish_error(error, failed_cursor);
    }
  }
}

// While a call runs the only thing the client may send is a marker: it cancels the statement.
void Calls::begin_watch() {
  session_.begin_call();
  const auto on_input = [this] {
    break_seen_ = true;
    session_.cancel();
  };
  if (channel_.has_buffered_input()) {
    on_input();
  } else {
    watch_.arm(channel_.stream().fd(), on_input);
  }
}

// Before the response's last packet leaves: after it the client may send its next request.
void Calls::end_watch() {
  watch_.disarm(channel_.stream().fd());
  session_.end_call();
}

void Calls::read_and_run(wire::Reader& in, std::uint32_t& failed_cursor) {
  for (;;) {
    const std::uint8_t type = in.u8();
    if (type == static_cast<std::uint8_t>(Message::kFlushOutBinds)) continue;
    const bool piggyback = type == static_cast<std::uint8_t>(Message::kPiggyback);
    if (!piggyback && type != static_cast<std::uint8_t>(Message::kFunction) &&
        type != static_cast<std::uint8_t>(Message::kOneWay)) {
      throw wire::BadMessage("message " + std::to_string(type) + " where a call was expected");
    }
    const wire::FunctionHeader header = wire::decode_function_header(in, login_.dialect);
    if (!piggyback) return run_function(in, header, failed_cursor);
    piggybacks_.push_back(wire::decode_piggyback(in, header.function, login_.dialect));
  }
}

// Only once the whole request is read: an error must not leave half of it on the wire.
void Calls::apply_piggybacks() {
  for (const wire::Piggyback& piggyback : std::exchange(piggybacks_, {})) apply(piggyback);
}

void Calls::apply(const wire::Piggyback& piggyback) {
  if (piggyback.function == Function::kCloseCursors) {
    for (const std::uint32_t id : piggyback.cursors) cursors_.close(id);
  }
  for (const std::string& locator : piggyback.locators) lobs_.free_temporary(locator);
  if (piggyback.schema) session_.set_current_schema(*piggyback.schema);
  EndToEnd values = session_.end_to_end();
  if (piggyback.module) values.module = *piggyback.module;
  if (piggyback.action) values.action = *piggyback.action;
  if (piggyback.client_identifier) values.client_identifier = *piggyback.client_identifier;
  if (piggyback.client_info) values.client_info = *piggyback.client_info;
  session_.set_end_to_end(std::move(values));
}

void Calls::run_function(wire::Reader& in, const wire::FunctionHeader& header,
                         std::uint32_t& failed_cursor) {
  const wire::Dialect& dialect = login_.dialect;
  sequence_ = header.sequence;
  // A request is complete before it runs: what comes afterwards can only be a break.
  const auto begin = [&] {
    apply_piggybacks();
    begin_watch();
  };
  switch (header.function) {
    case Function::kExecute: {
      wire::ExecuteRequest request = wire::decode_execute(in, dialect, cursors_);
      begin();
      return execute(std::move(request), failed_cursor);
    }
    case Function::kReexecute:
    case Function::kReexecuteAndFetch: {
      wire::ReexecuteRequest request = wire::decode_reexecute(in, dialect, cursors_);
      begin();
      return reexecute(std::move(request), failed_cursor);
    }
    case Function::kFetch: {
      const wire::FetchRequest request = wire::decode_fetch(in);
      begin();
      failed_cursor = request.cursor_id;
      return fetch(request);
    }
    case Function::kLobOperation: {
      const wire::LobRequest request = wire::decode_lob_request(in);
      apply_piggybacks();
      return lob_operation(request);
    }
    case Function::kVersion:
      wire::skip_version_request(in, dialect);
      return version_banner();
    case Function::kAuthOne:
      return password_challenge(wire::decode_auth(in, dialect));
    case Function::kAuthTwo:
      return change_password(wire::decode_auth(in, dialect));
    default:
      apply_piggybacks();
      return run_simple(header.function);
  }
}

void Calls::run_simple(Function function) {
  switch (function) {
    case Function::kCommit:
      session_.commit();
      return finish_call_end();
    case Function::kRollback:
    case Function::kLogoff:
      session_.rollback();
      return finish_call_end();
    case Function::kPing:
    case Function::kSessionRelease:
      return finish_call_end();
    default:
      throw OraError(3120, "two-task conversion routine: function " +
                               std::to_string(static_cast<int>(function)) +
                               " is not supported by this server");
  }
}

void Calls::version_banner() {
  const std::string text = "Oracle Database (orasim) Version " + shared_.database.options().version;
  wire::Writer& out = channel_.out();
  out.u8(static_cast<std::uint8_t>(Message::kParameter));
  out.ub(text.size());
  if (login_.dialect.text_is_clr) {
    out.clr(text);
  } else {
    out.raw(std::string_view(text));
  }
  out.ub(version_number(shared_.database.options().version, login_.dialect.field_version));
  finish_status({});
}

// Old clients ask for a new challenge first, later ones go on with the log-in's key.
void Calls::password_challenge(const wire::AuthRequest& request) {
  wire::encode_auth_pairs(channel_.out(), authenticator_.challenge(request.user));
  finish_status({});
}

void Calls::change_password(const wire::AuthRequest& request) {
  if (request.find("AUTH_NEWPASSWORD") == nullptr || authenticator_.name() != login_.user) {
    throw OraError(1017, "invalid username/password; logon denied");
  }
  authenticator_.check(request);
  authenticator_.renew(request);
  // Only a change with keys of its own, as old clients make it, has the server prove itself again.
  const bool has_own_key = request.find("AUTH_SESSKEY") != nullptr;
  wire::encode_auth_pairs(
      channel_.out(), has_own_key
                          ? session_pairs(shared_, login_.dialect, session_, authenticator_.key())
                          : std::vector<wire::KeyValue>());
  finish_status({});
}

void Calls::finish_status(CallStatus status) {
  status.transaction_open = session_.in_transaction();
  status.call_number = sequence_;
  wire::encode_status(channel_.out(), login_.dialect, status);
  finish();
}

void Calls::finish_call_end() {
  wire::encode_call_end(channel_.out(), session_.in_transaction());
  finish();
}

void Calls::finish() {
  end_watch();
  const bool mark = login_.dialect.end_of_response;
  if (mark) channel_.out().u8(static_cast<std::uint8_t>(Message::kEndOfResponse));
  channel_.finish(mark ? wire::kFlagEndOfResponse : 0);
}

void Calls::finish_error(const OraError& error, std::uint32_t cursor_id) {
  CallStatus status;
  status.ora_code = error.code();
  status.text = error.what();
  status.error_position = error.position();
  status.cursor_id = cursor_id;
  if (shared_.options.marker_errors) {
    channel_.discard_output();
    channel_.send_marker(wire::Marker::kBreak);
    channel_.send_marker(wire::Marker::kReset);
    wait_for_reset();
  }
  finish_status(std::move(status));
}

void Calls::wait_for_reset() {
  for (;;) {
    wire::Bytes ignored;
    try {
      channel_.more(ignored);
    } catch (const MarkerArrived& arrived) {
      if (arrived.marker == wire::Marker::kReset) return;
    }
  }
}

// The watch saw input during the call: it is the marker that cancelled the statement.
// Not at once: a server looks for breaks between two pieces of its work. JDBC thin relies on it; it
// notes that it has cancelled only after its marker is gone, and hangs when the answer is there
// first.
void Calls::answer_break(const OraError& error) {
  std::this_thread::sleep_for(kBreakAnswerTime);
  channel_.discard_output();
  wire::Bytes unexpected;
  try {
    channel_.more(unexpected);
    throw wire::BadMessage("a second request arrived during a call");
  } catch (const MarkerArrived&) {
    channel_.send_marker(wire::Marker::kBreak);
    channel_.send_marker(wire::Marker::kReset);
    wait_for_reset();
  }
  CallStatus status;
  status.ora_code = error.code();
  status.text = error.what();
  finish_status(std::move(status));
}

// A marker between calls: a break that crossed the end of its call, or a client putting itself back
// in step (break, then reset).
void Calls::answer_marker(wire::Marker marker) {
  channel_.discard_output();
  if (marker == wire::Marker::kInterrupt) {
    channel_.send_marker(wire::Marker::kBreak);
    channel_.send_marker(wire::Marker::kReset);
    wait_for_reset();
  } else {
    if (marker == wire::Marker::kBreak) wait_for_reset();
    channel_.send_marker(wire::Marker::kReset);
  }
  CallStatus status;
  status.ora_code = 1013;
  status.text = "ORA-01013: user requested cancel of current operation";
  finish_status(std::move(status));
}

}  // namespace orasim::server
