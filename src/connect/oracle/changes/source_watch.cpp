#include "connect/oracle/changes/source_watch.h"

#include <algorithm>
#include <charconv>

#include "connect/oracle/changes/log_retention.h"
#include "connect/oracle/changes/open_transactions.h"
#include "connect/oracle/session_pool.h"
#include "connect/oracle/text_number.h"

namespace wherry::oracle {
namespace {

constexpr std::chrono::seconds kBetweenRetentionLooks{5};
constexpr std::size_t kMostTold = 10;

/// "-05:30"; 0 for another text.
std::int32_t offset_minutes(const std::string& text) {
  constexpr std::size_t kLength = 6;
  int hours = 0, minutes = 0;
  if (text.size() != kLength) return 0;
  std::from_chars(text.data() + 1, text.data() + 3, hours);
  std::from_chars(text.data() + 4, text.data() + kLength, minutes);
  return text[0] == '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

}  // namespace

Result<void> SourceWatch::connect(OpContext& context, const ConnectOptions& options) {
  WHERRY_ASSIGN(session_, open_session(context, options));
  return {};
}

Result<std::uint64_t> SourceWatch::current_scn(OpContext& context) {
  WHERRY_ASSIGN(const auto rows,
                session_->rows(context, "select to_char(current_scn) from v$database"));
  return number_in(rows.at(0).at(0));
}

Result<StoredValueContext> SourceWatch::stored_values(OpContext& context) {
  StoredValueContext out;
  out.database_charset = session_->server().database_charset;
  out.national_charset = session_->server().national_charset;
  // A pluggable database may have another character set than the root that was logged in to.
  WHERRY_ASSIGN(const auto charsets,
                session_->rows(context,
                               "select parameter, value from nls_database_parameters where "
                               "parameter in ('NLS_CHARACTERSET', 'NLS_NCHAR_CHARACTERSET')"));
  for (const TextRow& row : charsets) {
    const auto id = charset_id(row.at(1).value_or(""));
    if (id) (row[0] == "NLS_CHARACTERSET" ? out.database_charset : out.national_charset) = *id;
  }
  WHERRY_ASSIGN(const auto rows, session_->rows(context, "select dbtimezone from dual"));
  const std::string zone = rows.at(0).at(0).value_or("");
  if (const auto region = wire::region_id(zone)) {
    out.database_zone.kind = wire::ZoneField::Kind::kRegion;
    out.database_zone.region_id = *region;
  } else {
    out.database_zone.offset_minutes = offset_minutes(zone);
  }
  return out;
}

Result<connect::SourceHead> SourceWatch::head(OpContext& context, const RedoPosition& position,
                                              const std::vector<RedoAssembler::Open>& open) {
  WHERRY_ASSIGN(
      const auto rows,
      session_->rows(context,
                     "select to_char(current_scn), to_char(round((cast(sys_extract_utc("
                     "systimestamp) as date) - date '1970-01-01') * 86400)) from v$database"));
  connect::SourceHead out;
  out.order = number_in(rows.at(0).at(0));
  RedoPosition end = position;
  end.commit_scn = out.order;
  out.position = to_position(end);
  out.time =
      std::chrono::system_clock::time_point(std::chrono::seconds(number_in(rows.at(0).at(1))));
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_retention_look_) {
    next_retention_look_ = now + kBetweenRetentionLooks;
    WHERRY_ASSIGN(bytes_until_lost_, bytes_until_lost(context, *session_, position));
  }
  out.bytes_until_lost = bytes_until_lost_;
  WHERRY_TRY(learn_sessions(context, open));
  for (const RedoAssembler::Open& each : open) {
    if (out.open.size() == kMostTold) break;
    out.open.push_back(
        {to_text(each.key), sessions_[each.key],
         std::chrono::system_clock::time_point(std::chrono::microseconds(each.begun_micros)),
         each.change_count});
  }
  return out;
}

Result<void> SourceWatch::learn_sessions(OpContext& context,
                                         const std::vector<RedoAssembler::Open>& open) {
  std::map<TransactionKey, std::string> sessions;
  bool is_known = true;
  for (const RedoAssembler::Open& each : open) {
    const auto known = sessions_.find(each.key);
    is_known = is_known && known != sessions_.end();
    sessions[each.key] = known == sessions_.end() ? "" : known->second;
  }
  sessions_ = std::move(sessions);
  if (is_known) return {};
  const auto listed = list_open_transactions(context, *session_);
  if (!listed) return {};  // a right that is not needed for more than this was taken away
  for (const OpenTransaction& each : *listed) {
    const auto place = sessions_.find(each.key);
    if (place != sessions_.end()) place->second = each.session;
  }
  return {};
}

}  // namespace wherry::oracle
