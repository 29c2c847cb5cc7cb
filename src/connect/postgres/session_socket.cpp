#include "connect/postgres/session_socket.h"

#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kSocketBufferBytes = 256 * 1024;
/// A read into less room than this is not worth its system call.
constexpr std::size_t kLeastSocketRoom = 64 * 1024;
constexpr std::size_t kFrameHeaderBytes = 5;
/// A value has at most 1 GB, a row is less than two.
constexpr std::size_t kMostFrameBytes = std::size_t{2} << 30;
constexpr std::chrono::milliseconds kSocketStopGlance{100};

constexpr std::size_t kWorthwhileBytes = 64 * 1024;
constexpr std::uint32_t kMostSmallReads = 4;
constexpr std::chrono::microseconds kSocketRest{300};

ssl_st* tls_of(PGconn* session) {
  return PQsslInUse(session) == 1 ? static_cast<SSL*>(PQsslStruct(session, "OpenSSL")) : nullptr;
}

std::string system_words(int code) {
  return std::system_category().message(code);
}

}  // namespace

ServerWords words_of(std::string_view body) {
  // Fields of a letter and a text each, up to an empty one.
  ServerWords words;
  while (!body.empty() && body[0] != '\0') {
    const char key = body[0];
    const std::size_t end = std::min(body.find('\0'), body.size());
    const std::string_view value = body.substr(1, end - 1);
    if (key == 'C') words.sqlstate = value;
    if (key == 'M') words.message = value;
    if (key == 'H') words.hint = value;
    if (key == 'D') words.detail = value;
    if (key == 'W') words.context = value;
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return words;
}

std::string query_message(std::string_view sql) {
  std::string message(5, 'Q');
  wire::store_u32(message.data() + 1, static_cast<std::uint32_t>(4 + sql.size() + 1));
  return message.append(sql) + '\0';
}

void BulkPace::rest() const {
  if (small_reads_ >= kMostSmallReads) std::this_thread::sleep_for(kSocketRest);
}

void BulkPace::note(std::size_t read_bytes) {
  small_reads_ = read_bytes < kWorthwhileBytes ? small_reads_ + 1 : 0;
}

SessionSocket::SessionSocket(PGconn* session, std::string_view action, std::mutex* tls_guard)
    : socket_(PQsocket(session)), tls_(tls_of(session)), action_(action), tls_guard_(tls_guard) {}

Error SessionSocket::lost(std::string_view why) const {
  Error error = error_of_words({"08006", why, {}, {}, {}}, action_);
  error.native_code.clear();  // not the server's
  return error;
}

std::optional<Frame> SessionSocket::take() {
  const std::size_t filled = end_ - begin_;
  if (filled < kFrameHeaderBytes) return std::nullopt;
  const char* at = buffer_.data() + begin_;
  const std::size_t size = std::max(std::size_t{1} + wire::load_u32(at + 1), kFrameHeaderBytes);
  if (filled < size) return std::nullopt;
  begin_ += size;
  return Frame{at[0], {at + kFrameHeaderBytes, size - kFrameHeaderBytes}};
}

Result<void> SessionSocket::make_room() {
  if (end_ != begin_) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  std::size_t wanted = kSocketBufferBytes;
  if (end_ >= kFrameHeaderBytes) {
    const std::size_t frame = std::size_t{1} + wire::load_u32(buffer_.data() + 1);
    if (frame > kMostFrameBytes) return lost("a message of impossible size");
    wanted = std::max(wanted, frame + kLeastSocketRoom);
  }
  if (wanted != buffer_.size()) buffer_.resize(std::max(wanted, end_ + kLeastSocketRoom));
  if (wanted == kSocketBufferBytes && buffer_.capacity() > 4 * kSocketBufferBytes)
    buffer_.shrink_to_fit();
  return {};
}

Result<std::size_t> SessionSocket::fill(OpContext& context,
                                        std::chrono::steady_clock::time_point until) {
  if (begin_ == end_) begin_ = end_ = 0;
  const bool was_for_a_large_message = end_ == 0 && buffer_.size() > kSocketBufferBytes;
  if (was_for_a_large_message || buffer_.size() - end_ < kLeastSocketRoom) WHERRY_TRY(make_room());
  for (;;) {
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_ASSIGN(const std::size_t size, receive(buffer_.data() + end_, buffer_.size() - end_));
    end_ += size;
    if (size != 0) return size;
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return std::size_t{0};
    const auto wait = std::min<std::chrono::nanoseconds>(until - now, kSocketStopGlance);
    const timespec patience{0, static_cast<long>(wait.count() % 1'000'000'000)};
    pollfd ready{socket_, POLLIN, 0};
    if (::ppoll(&ready, 1, &patience, nullptr) < 0 && errno != EINTR)
      return lost(system_words(errno));
  }
}

Result<std::size_t> SessionSocket::receive(char* to, std::size_t size) {
  if (tls_ != nullptr) {
    std::unique_lock<std::mutex> lock;
    if (tls_guard_ != nullptr) lock = std::unique_lock(*tls_guard_);
    const int got =
        SSL_read(tls_, to, static_cast<int>(std::min<std::size_t>(size, kSocketBufferBytes)));
    if (got > 0) return static_cast<std::size_t>(got);
    const int state = SSL_get_error(tls_, got);
    if (state == SSL_ERROR_WANT_READ || state == SSL_ERROR_WANT_WRITE) return std::size_t{0};
    return lost("the TLS connection has ended");
  }
  const ssize_t got = ::recv(socket_, to, size, MSG_DONTWAIT);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return lost("the server has closed the connection");
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return lost(system_words(errno));
}

Result<std::size_t> SessionSocket::send_some(std::string_view bytes) {
  if (tls_ != nullptr) {
    const int sent =
        SSL_write(tls_, bytes.data(), static_cast<int>(std::min(bytes.size(), kSocketBufferBytes)));
    if (sent > 0) return static_cast<std::size_t>(sent);
    const int state = SSL_get_error(tls_, sent);
    if (state == SSL_ERROR_WANT_READ || state == SSL_ERROR_WANT_WRITE) return std::size_t{0};
    return lost("the TLS connection has ended");
  }
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return lost(system_words(errno));
}

Result<void> SessionSocket::send(OpContext& context, std::string_view bytes) {
  while (!bytes.empty()) {
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_ASSIGN(const std::size_t sent, send_some(bytes));
    bytes.remove_prefix(sent);
    if (sent == 0) wait_to_send(kSocketStopGlance);
  }
  return {};
}

void SessionSocket::wait_to_send(std::chrono::milliseconds patience) const {
  pollfd ready{socket_, POLLOUT, 0};
  ::poll(&ready, 1, static_cast<int>(patience.count()));
}

}  // namespace wherry::postgres
