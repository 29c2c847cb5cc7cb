#include "connect/oracle/session_pool.h"

#include <algorithm>
#include <chrono>

#include "connect/oracle/errors.h"

namespace wherry::oracle {
namespace {

/// A server that is there answers a ping at once; one that is not is told by the next log-in.
constexpr std::chrono::seconds kPingPatience{5};

bool answers(OpContext& context, Session& session) {
  OpContext limited = context;
  limited.deadline = std::min(context.deadline, std::chrono::steady_clock::now() + kPingPatience);
  return session.ping(limited).ok();
}

}  // namespace

Result<std::unique_ptr<Session>> open_session(OpContext& context, const ConnectOptions& options) {
  WHERRY_ASSIGN(auto session, Session::connect(context, options));
  WHERRY_ASSIGN(
      const ExecResult altered,
      session->execute(context, "alter session set nls_sort = 'BINARY' nls_comp = 'BINARY'"));
  static_cast<void>(altered);
  return session;
}

std::unique_ptr<Session> SessionPool::take_idle() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

Result<std::unique_ptr<Session>> SessionPool::acquire(OpContext& context) {
  while (auto session = take_idle()) {
    if (answers(context, *session)) return session;
  }
  auto session = open_session(context, options_);
  std::lock_guard lock(mutex_);
  if (session.ok()) {
    was_connected_ = true;
    return session;
  }
  const std::string& code = session.error().native_code;
  const bool is_unknown_service = code == ora_code(12514) || code == ora_code(12505);
  if (was_connected_ && is_unknown_service) session.error().kind = ErrorKind::kTransient;
  return session;
}

void SessionPool::give_back(std::unique_ptr<Session> session) {
  if (session->is_broken()) return;
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

}  // namespace wherry::oracle
