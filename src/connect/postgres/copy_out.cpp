#include "connect/postgres/copy_out.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kStartingCopy = "cannot start COPY";
constexpr std::string_view kReadingCopy = "cannot read rows";

}  // namespace

CopyOut::CopyOut(pg_conn* session) : socket_(session, kReadingCopy) {}

Result<void> CopyOut::begin(OpContext& context, const std::string& sql) {
  is_over_ = false;
  pace_ = {};
  WHERRY_TRY(socket_.send(context, query_message(sql)));
  for (;;) {
    WHERRY_ASSIGN(const Frame frame, receive(context));
    if (frame.type == 'H') return {};
    if (frame.type == 'E') {
      return finish(context, error_of_words(words_of(frame.body), kStartingCopy));
    }
    if (frame.type != 'N' && frame.type != 'S') return socket_.lost("an answer out of turn");
  }
}

Result<std::optional<std::string_view>> CopyOut::next(OpContext& context) {
  for (;;) {
    WHERRY_ASSIGN(const Frame frame, receive(context));
    switch (frame.type) {
      case 'd':
        return std::optional(frame.body);
      case 'E':
        return finish(context, error_of_words(words_of(frame.body), kReadingCopy));
      case 'Z':
        is_over_ = true;
        return std::optional<std::string_view>{};
      default:  // CopyDone, CommandComplete, notices and parameters
        break;
    }
  }
}

Error CopyOut::finish(OpContext& context, Error error) {
  for (;;) {
    auto frame = receive(context);
    if (!frame) return std::move(frame).error();
    if (frame->type != 'Z') continue;
    is_over_ = true;
    return error;
  }
}

Result<Frame> CopyOut::receive(OpContext& context) {
  for (;;) {
    if (const std::optional<Frame> frame = socket_.take()) return *frame;
    pace_.rest();
    WHERRY_ASSIGN(const std::size_t size, socket_.fill(context, context.deadline));
    if (size == 0) return deadline_error();
    pace_.note(size);
  }
}

}  // namespace wherry::postgres
