#include "connect/postgres/replication.h"

#include <fmt/format.h>

#include <charconv>

#include "connect/postgres/errors.h"
#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kFrameHeader = 5;
constexpr std::string_view kReading = "cannot read the source's log";
constexpr std::chrono::microseconds kServerEpoch{946'684'800'000'000};

}  // namespace

ReplicationLink::ReplicationLink(std::unique_ptr<Connection> session)
    : session_(std::move(session)), socket_(session_->handle(), kReading, &mutex_) {}
ReplicationLink::~ReplicationLink() = default;

Result<std::unique_ptr<ReplicationLink>> ReplicationLink::open(OpContext& context,
                                                               const ConnectionSettings& settings) {
  ConnectionSettings own = settings;
  own.parameters.emplace_back("replication", "database");
  // Its bytes are read here, and GSS encryption is libpq's own secret.
  own.parameters.emplace_back("gssencmode", "disable");
  own.toast_compression = "default";  // nothing is written
  WHERRY_ASSIGN(std::unique_ptr<Connection> session, Connection::open(context, own));
  WHERRY_TRY(hear_warnings(context, *session));
  return std::unique_ptr<ReplicationLink>(new ReplicationLink(std::move(session)));
}

Result<void> ReplicationLink::start(OpContext& context, const std::string& command) {
  append_output('Q', command + '\0');
  WHERRY_TRY(flush_output());
  return await_copy(context);
}

Result<void> ReplicationLink::await_copy(OpContext& context) {
  for (;;) {
    const std::optional<Frame> frame = socket_.take();
    if (!frame) {
      WHERRY_TRY(flush_output());
      WHERRY_ASSIGN(const std::size_t size, fill(context, context.deadline));
      if (size == 0) return deadline_error();
      continue;
    }
    if (frame->type == 'W') return {};
    if (frame->type == 'E') return error_of_words(words_of(frame->body), kReading);
    if (frame->type != 'N' && frame->type != 'S') return socket_.lost("an answer out of turn");
  }
}

Result<std::optional<std::string_view>> ReplicationLink::next() {
  for (;;) {
    const std::optional<Frame> frame = socket_.take();
    if (!frame) return std::optional<std::string_view>{};
    switch (frame->type) {
      case 'd':
        return std::optional(frame->body);
      case 'N':
        if (words_of(frame->body).sqlstate == kPublicationLeftOut) {
          return publication_was_missing();
        }
        continue;
      case 'S':
        continue;
      case 'E':
        return error_of_words(words_of(frame->body), kReading);
      default:
        // CopyDone or CommandComplete: a server that shuts down has sent all it had.
        return socket_.lost("the server has ended the stream");
    }
  }
}

Result<std::size_t> ReplicationLink::fill(OpContext& context, SteadyTime until) {
  return socket_.fill(context, until);
}

void ReplicationLink::append_output(char type, std::string_view body) {
  char header[kFrameHeader];
  header[0] = type;
  wire::store_u32(header + 1, static_cast<std::uint32_t>(body.size() + 4));
  output_.append(header, sizeof header).append(body);
}

Result<void> ReplicationLink::flush_output() {
  while (!output_.empty()) {
    WHERRY_ASSIGN(const std::size_t sent, socket_.send_some(output_));
    if (sent == 0) return {};
    output_.erase(0, sent);
  }
  return {};
}

Result<void> ReplicationLink::send_status(wire::Lsn received, wire::Lsn flushed, bool wants_reply) {
  char status[wire::kStatusBytes];
  wire::encode_status(status, received, flushed, server_time_now(), wants_reply);
  std::lock_guard lock(mutex_);
  constexpr std::size_t kMostWaiting = 100 * sizeof status;
  if (output_.size() < kMostWaiting) append_output('d', {status, sizeof status});
  return flush_output();
}

Result<void> hear_warnings(OpContext& context, Connection& session) {
  return session.execute(context, kReading, "set client_min_messages = warning");
}

Error malformed_log(std::string_view what) {
  return make_error(ErrorKind::kInternal, "postgres.malformed_log",
                    "the source's log is not understood: " + std::string(what),
                    "Please report it with the server's version");
}

Error publication_was_missing() {
  return make_error(ErrorKind::kPositionLost, "postgres.publication_missing",
                    "the source's publication was not there when some of the changes were made, "
                    "so they are lost",
                    "Load the tables again (--start reload-target)");
}

std::string lsn_text(wire::Lsn lsn) {
  return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xFFFFFFFF);
}

std::optional<wire::Lsn> parse_lsn(std::string_view text) {
  const auto half = [](std::string_view digits) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const auto [end, status] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (status != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return wire::Lsn{*high} << 32 | *low;
}

wire::ServerTime server_time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return (std::chrono::duration_cast<std::chrono::microseconds>(now) - kServerEpoch).count();
}

std::chrono::system_clock::time_point to_time_point(wire::ServerTime time) {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(time) + kServerEpoch);
}

}  // namespace wherry::postgres
