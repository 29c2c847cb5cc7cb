// V$TRANSACTION and V$SESSION.
#include <algorithm>
#include <cstdio>

#include "engine/containers.h"
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

struct Transaction {
  OpenTransaction open;
  unsigned usn = 0, slot = 0, sequence = 0;
};

void visit_transactions(const Context& c, const std::function<bool(const Transaction&)>& visit) {
  for (const OpenTransaction& open : c.store.open_transactions()) {
    Transaction t;
    t.open = open;
    if (std::sscanf(open.xid.c_str(), "%u.%u.%u", &t.usn, &t.slot, &t.sequence) != 3) continue;
    if (!visit(t)) return;
  }
}

void put_little(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

Value raw(std::string bytes) {
  return Value{Type::kRaw, false, std::move(bytes)};
}

/// XID as the database keeps it on little-endian machines.
Value xid(const Transaction& t) {
  std::string bytes;
  put_little(bytes, t.usn, 2);
  put_little(bytes, t.slot, 2);
  put_little(bytes, t.sequence, 4);
  return raw(bytes);
}

/// An address that V$SESSION and V$TRANSACTION share.
Value session_address(std::uint32_t session_id) {
  std::string bytes(4, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((0x60000000U + session_id * 0x100U) >> shift));
  }
  return raw(bytes);
}

std::string start_time(const Transaction& t) {
  const Value v = date(t.open.start_unix_seconds);
  if (v.is_null()) return {};
  const DateTime& d = v.date_time();
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%02d/%02d/%02d %02d:%02d:%02d", d.month, d.day,
                d.year % 100, d.hour, d.minute, d.second);
  return buffer;
}

std::vector<Column<Transaction>> transaction_columns() {
  using T = Transaction;
  return {
      {"ADDR", Kind::kRaw,
       [](const T& t, const Context&) { return session_address(0x10000U + t.sequence); }},
      number_of<T>("XIDUSN", [](const T& t) { return t.usn; }),
      number_of<T>("XIDSLOT", [](const T& t) { return t.slot; }),
      number_of<T>("XIDSQN", [](const T& t) { return t.sequence; }),
      fixed_number<T>("UBAFIL", 4),
      fixed_number<T>("UBABLK", 1),
      fixed_number<T>("UBASQN", 1),
      fixed_number<T>("UBAREC", 1),
      fixed<T>("STATUS", "ACTIVE"),
      text_of<T>("START_TIME", start_time),
      number_of<T>("START_SCNB", [](const T& t) { return t.open.start_scn & 0xFFFFFFFFU; }),
      number_of<T>("START_SCNW", [](const T& t) { return t.open.start_scn >> 32; }),
      {"SES_ADDR", Kind::kRaw,
       [](const T& t, const Context&) { return session_address(t.open.session_id); }},
      fixed_number<T>("FLAG", 3587),
      fixed<T>("SPACE", "NO"),
      fixed<T>("RECURSIVE", "NO"),
      fixed<T>("NOUNDO", "NO"),
      fixed<T>("PTX", "NO"),
      empty<T>("NAME", Kind::kText),
      fixed_number<T>("USED_UBLK", 1),
      fixed_number<T>("USED_UREC", 1),
      {"START_DATE", Kind::kDate,
       [](const T& t, const Context&) { return date(t.open.start_unix_seconds); }},
      number_of<T>("START_SCN", [](const T& t) { return t.open.start_scn; }),
      {"XID", Kind::kRaw, [](const T& t, const Context&) { return xid(t); }},
      {"CON_ID", Kind::kNumber,
       [](const T&, const Context& c) {
         return number(c.container == containers::kNone ? containers::kNone
                                                        : containers::kPluggable);
       }},
  };
}

using S = SessionInfo;

void visit_sessions(const Context& c, const std::function<bool(const S&)>& visit) {
  for (const S& s : c.sessions) {
    if (!visit(s)) return;
  }
}

std::int64_t user_id(const S& s, const Context& c) {
  const auto user = c.catalog.users.find(s.user);
  return user == c.catalog.users.end() ? 0 : user->second->user_id;
}

/// TADDR: the session's open transaction.
Value transaction_address(const S& s, const Context& c) {
  Value address = null();
  visit_transactions(c, [&](const Transaction& t) {
    if (t.open.session_id == s.session_id) address = session_address(0x10000U + t.sequence);
    return address.is_null();
  });
  return address;
}

std::vector<Column<S>> session_columns() {
  return {
      {"SADDR", Kind::kRaw,
       [](const S& s, const Context&) { return session_address(s.session_id); }},
      number_of<S>("SID", [](const S& s) { return s.session_id; }),
      number_of<S>("SERIAL#", [](const S& s) { return s.serial_number; }),
      number_of<S>("AUDSID", [](const S& s) { return s.session_id; }),
      {"USER#", Kind::kNumber, [](const S& s, const Context& c) { return number(user_id(s, c)); }},
      text_of<S>("USERNAME", [](const S& s) { return s.user; }),
      fixed_number<S>("COMMAND", 0),
      {"TADDR", Kind::kRaw, transaction_address},
      empty<S>("LOCKWAIT", Kind::kText),
      text_of<S>("STATUS", [](const S& s) { return s.status; }),
      fixed<S>("SERVER", "DEDICATED"),
      text_of<S>("SCHEMANAME", [](const S& s) { return s.schema.empty() ? s.user : s.schema; }),
      text_of<S>("OSUSER", [](const S& s) { return s.os_user; }),
      text_of<S>("PROCESS", [](const S& s) { return s.process; }),
      text_of<S>("MACHINE", [](const S& s) { return s.machine; }),
      text_of<S>("TERMINAL", [](const S& s) { return s.terminal; }),
      text_of<S>("PROGRAM", [](const S& s) { return s.program; }),
      fixed<S>("TYPE", "USER"),
      text_of<S>("MODULE", [](const S& s) { return s.module; }),
      text_of<S>("ACTION", [](const S& s) { return s.action; }),
      text_of<S>("CLIENT_INFO", [](const S& s) { return s.client_info; }),
      text_of<S>("CLIENT_IDENTIFIER", [](const S& s) { return s.client_identifier; }),
      {"LOGON_TIME", Kind::kDate,
       [](const S& s, const Context&) { return date(s.logon_unix_seconds); }},
      {"SERVICE_NAME", Kind::kText,
       [](const S&, const Context& c) { return text(c.service_name); }},
      fixed_number<S>("CON_ID", 0),
  };
}

/// GV$ views are the V$ views with the instance's number in front.
template <class Item>
void add_with_global(Registry& r, const std::string& name, const Items<Item>& items,
                     std::vector<Column<Item>> columns) {
  r.add<Item>(name, items, columns);
  columns.insert(columns.begin(), fixed_number<Item>("INST_ID", 1));
  r.add<Item>("G" + name, items, std::move(columns));
}

}  // namespace

void add_session_views(Registry& r) {
  add_with_global<Transaction>(r, "V$TRANSACTION", visit_transactions, transaction_columns());
  add_with_global<S>(r, "V$SESSION", visit_sessions, session_columns());
}

}  // namespace orasim::dictionary
