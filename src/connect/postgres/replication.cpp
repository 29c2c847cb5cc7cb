#include "connect/postgres/replication.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "connect/postgres/errors.h"
#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kBufferBytes = 256 * 1024;
/// A read into less room than this is not worth its system call.
constexpr std::size_t kLeastRoom = 64 * 1024;
constexpr std::size_t kFrameHeader = 5;
/// A value has at most 1 GB, a row is less than two.
constexpr std::size_t kMostFrame = std::size_t{2} << 30;
constexpr std::chrono::milliseconds kStopGlance{100};
constexpr std::string_view kReading = "cannot read the source's log";
constexpr std::chrono::microseconds kServerEpoch{946'684'800'000'000};

Error lost(std::string_view why) {
  ErrorClass lost_class = classify("08006");
  Error error = make_error(lost_class.kind, lost_class.code,
                           std::string(kReading) + ": " + std::string(lost_class.message),
                           std::string(lost_class.hint));
  error.native_text = why;
  return error;
}

Error lost_by(int code) {
  return lost(std::system_category().message(code));
}

/// ErrorResponse: fields of a letter and a text each.
Error server_error(std::string_view body) {
  ServerWords words;
  while (!body.empty() && body[0] != '\0') {
    const char key = body[0];
    const std::size_t end = std::min(body.find('\0'), body.size());
    const std::string_view value = body.substr(1, end - 1);
    if (key == 'C') words.sqlstate = value;
    if (key == 'M') words.message = value;
    if (key == 'H') words.hint = value;
    if (key == 'D') words.detail = value;
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return error_of_words(words, kReading);
}

}  // namespace

ReplicationLink::ReplicationLink(std::unique_ptr<Connection> session)
    : session_(std::move(session)) {}
ReplicationLink::~ReplicationLink() = default;

Result<std::unique_ptr<ReplicationLink>> ReplicationLink::open(OpContext& context,
                                                               const ConnectionSettings& settings) {
  ConnectionSettings own = settings;
  own.parameters.emplace_back("replication", "database");
  // Its bytes are read here, and GSS encryption is libpq's own secret.
  own.parameters.emplace_back("gssencmode", "disable");
  own.toast_compression =
      "default";  // needs a statement with parameters, which a walsender refuses
  WHERRY_ASSIGN(std::unique_ptr<Connection> session, Connection::open(context, own));
  return std::unique_ptr<ReplicationLink>(new ReplicationLink(std::move(session)));
}

Result<void> ReplicationLink::start(OpContext& context, const std::string& command) {
  PGconn* libpq = session_->handle();
  socket_ = PQsocket(libpq);
  tls_ = PQsslInUse(libpq) == 1 ? static_cast<SSL*>(PQsslStruct(libpq, "OpenSSL")) : nullptr;
  buffer_.resize(kBufferBytes);
  append_output('Q', command + '\0');
  WHERRY_TRY(flush_output());
  return await_copy(context);
}

Result<void> ReplicationLink::await_copy(OpContext& context) {
  for (;;) {
    const std::optional<Frame> frame = take_frame();
    if (!frame) {
      WHERRY_TRY(flush_output());
      WHERRY_ASSIGN(const std::size_t size, fill(context, context.deadline));
      if (size == 0) {
        return make_error(ErrorKind::kTransient, "postgres.timeout",
                          "the server did not answer in time", "Check the load of the server");
      }
      continue;
    }
    if (frame->type == 'W') return {};
    if (frame->type == 'E') return server_error(frame->body);
    if (frame->type != 'N' && frame->type != 'S') return lost("an answer out of turn");
  }
}

std::optional<ReplicationLink::Frame> ReplicationLink::take_frame() {
  const std::size_t filled = end_ - begin_;
  if (filled < kFrameHeader) return std::nullopt;
  const char* at = buffer_.data() + begin_;
  const std::size_t size = std::size_t{1} + wire::load_u32(at + 1);
  if (filled < size) return std::nullopt;
  begin_ += std::max(size, kFrameHeader);
  return Frame{at[0], {at + kFrameHeader, std::max(size, kFrameHeader) - kFrameHeader}};
}

Result<std::optional<std::string_view>> ReplicationLink::next() {
  for (;;) {
    const std::optional<Frame> frame = take_frame();
    if (!frame) return std::optional<std::string_view>{};
    switch (frame->type) {
      case 'd':
        return std::optional(frame->body);
      case 'N':
      case 'S':
        continue;
      case 'E':
        return server_error(frame->body);
      default:
        // CopyDone or CommandComplete: a server that shuts down has sent all it had.
        return lost("the server has ended the stream");
    }
  }
}

Result<void> ReplicationLink::make_room() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  std::size_t wanted = kBufferBytes;
  if (end_ >= kFrameHeader) {
    const std::size_t frame = std::size_t{1} + wire::load_u32(buffer_.data() + 1);
    if (frame > kMostFrame) return lost("a message of impossible size");
    wanted = std::max(wanted, frame + kLeastRoom);
  }
  if (wanted != buffer_.size()) buffer_.resize(std::max(wanted, end_ + kLeastRoom));
  if (wanted == kBufferBytes && buffer_.capacity() > 4 * kBufferBytes) buffer_.shrink_to_fit();
  return {};
}

Result<std::size_t> ReplicationLink::fill(OpContext& context, SteadyTime until) {
  if (buffer_.size() - end_ < kLeastRoom) WHERRY_TRY(make_room());
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_ASSIGN(const std::size_t size, receive(buffer_.data() + end_, buffer_.size() - end_));
    end_ += size;
    if (size != 0) return size;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= until) return std::size_t{0};
    const auto wait = std::min<std::chrono::nanoseconds>(until - now, kStopGlance);
    const timespec patience{0, static_cast<long>(wait.count() % 1'000'000'000)};
    pollfd ready{socket_, POLLIN, 0};
    if (::ppoll(&ready, 1, &patience, nullptr) < 0 && errno != EINTR) return lost_by(errno);
  }
}

Result<std::size_t> ReplicationLink::receive(char* to, std::size_t size) {
  if (tls_ != nullptr) {
    std::lock_guard lock(mutex_);
    const int got = SSL_read(tls_, to, static_cast<int>(std::min<std::size_t>(size, kBufferBytes)));
    if (got > 0) return static_cast<std::size_t>(got);
    const int state = SSL_get_error(tls_, got);
    if (state == SSL_ERROR_WANT_READ || state == SSL_ERROR_WANT_WRITE) return std::size_t{0};
    return lost("the TLS connection has ended");
  }
  const ssize_t got = ::recv(socket_, to, size, MSG_DONTWAIT);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return lost("the server has closed the connection");
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return lost_by(errno);
}

void ReplicationLink::append_output(char type, std::string_view body) {
  char header[kFrameHeader];
  header[0] = type;
  wire::store_u32(header + 1, static_cast<std::uint32_t>(body.size() + 4));
  output_.append(header, sizeof header).append(body);
}

Result<void> ReplicationLink::flush_output() {
  while (!output_.empty()) {
    if (tls_ != nullptr) {
      const int sent = SSL_write(tls_, output_.data(), static_cast<int>(output_.size()));
      if (sent <= 0) {
        const int state = SSL_get_error(tls_, sent);
        if (state == SSL_ERROR_WANT_READ || state == SSL_ERROR_WANT_WRITE) return {};
        return lost("the TLS connection has ended");
      }
      output_.erase(0, static_cast<std::size_t>(sent));
      continue;
    }
    const ssize_t sent =
        ::send(socket_, output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      if (errno == EAGAIN) return {};
      return lost_by(errno);
    }
    if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
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
