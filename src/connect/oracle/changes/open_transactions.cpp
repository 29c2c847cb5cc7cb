#include "connect/oracle/changes/open_transactions.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/oracle/changes/rest.h"
#include "connect/oracle/errors.h"
#include "connect/oracle/text_number.h"

namespace wherry::oracle {
namespace {

constexpr std::chrono::milliseconds kLook{500};

// START_SCN is 0 or 1 where the server does not know it.
constexpr const char* kOpen =
    "select {}, t.xidusn, t.xidslot, t.xidsqn, t.start_scn, s.sid, s.serial#, s.username, "
    "t.start_time from gv$transaction t left join gv$session s "
    "on s.inst_id = t.inst_id and s.saddr = t.ses_addr where t.status = 'ACTIVE' "
    "order by t.start_scn";

Error with_grant(Error error) {
  if (error.native_code != ora_code(942) && error.native_code != ora_code(1031)) return error;
  error.kind = ErrorKind::kPermission;
  error.code = "oracle.transactions_hidden";
  error.hint =
      "So that no open transaction is missed: grant select on sys.gv_$transaction and on "
      "sys.gv_$session to the user";
  return error;
}

bool is_among(const OpenTransaction& one, const std::vector<OpenTransaction>& all) {
  return std::any_of(all.begin(), all.end(),
                     [&](const OpenTransaction& each) { return each.key == one.key; });
}

}  // namespace

std::string to_text(const OpenTransaction& transaction) {
  return fmt::format("transaction {} ({}, since {})", to_text(transaction.key), transaction.session,
                     transaction.started);
}

Result<std::vector<OpenTransaction>> list_open_transactions(OpContext& context, Session& session) {
  const bool has_containers = session.server().has_containers();
  auto rows =
      session.rows(context, fmt::format(fmt::runtime(kOpen), has_containers ? "t.con_id" : "0"));
  if (!rows) return with_grant(std::move(rows).error());
  std::vector<OpenTransaction> out;
  for (const TextRow& row : *rows) {
    OpenTransaction& each = out.emplace_back();
    each.key = {number_in<std::uint32_t>(row[0]), number_in<std::uint32_t>(row[1]),
                number_in<std::uint32_t>(row[2]), number_in<std::uint32_t>(row[3])};
    each.start_scn = number_in<std::uint64_t>(row[4]);
    if (each.start_scn == 1) each.start_scn = 0;
    each.session = row[5] ? fmt::format("SID {}, serial {}, user {}", *row[5], row[6].value_or("?"),
                                        row[7].value_or("?"))
                          : "its session has ended";
    each.started = row[8].value_or("?");
  }
  return out;
}

Result<void> await_end(OpContext& context, Session& session,
                       const std::vector<OpenTransaction>& transactions,
                       std::chrono::seconds patience) {
  std::vector<OpenTransaction> left = transactions;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!left.empty()) {
    if (context.stop.stop_requested()) return cancelled_error();
    WHERRY_ASSIGN(const auto open, list_open_transactions(context, session));
    std::erase_if(left, [&](const OpenTransaction& each) { return !is_among(each, open); });
    if (left.empty()) break;
    if (std::chrono::steady_clock::now() >= end) {
      return make_error(
          ErrorKind::kResource, "oracle.transactions_open",
          fmt::format("{} must end before the task can begin, and has not within {} s{}",
                      to_text(left.front()), patience.count(),
                      left.size() > 1 ? fmt::format("; so must {} others", left.size() - 1) : ""),
          "End it, or wait longer (FullLoadSettings, TransactionConsistencyTimeout), then start "
          "the "
          "task again");
    }
    rest(context, std::chrono::steady_clock::now() + kLook);
  }
  return {};
}

}  // namespace wherry::oracle
