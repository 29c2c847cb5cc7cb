#include "connect/oracle/trace/execute_request.h"

#include <algorithm>
#include <array>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/row_values.h"
#include "connect/oracle/trace/scalar_text.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::uint32_t kOptionDefine = 0x10;
constexpr std::uint32_t kOptionExecute = 0x20;
constexpr std::uint32_t kOptionPlsqlBind = 0x400;
constexpr std::size_t kScalarParameters = 13;
constexpr std::uint32_t kMaxVariables = 65536;

constexpr std::array<std::pair<std::uint32_t, const char*>, 11> kOptionNames = {
    {{0x01, "parse"},
     {0x08, "bind"},
     {kOptionDefine, "define"},
     {kOptionExecute, "execute"},
     {0x40, "fetch"},
     {0x80, "cancel"},
     {0x100, "commit"},
     {kOptionPlsqlBind, "plsql_bind"},
     {0x20000, "describe"},
     {0x40000, "no_compressed_fetch"},
     {0x80000, "batch_errors"}}};

Json option_names(std::uint32_t options) {
  Json names = Json::array();
  for (const auto& [bit, name] : kOptionNames) {
    if ((options & bit) != 0) names.push_back(name);
  }
  return names;
}

/// The fixed part of function 94, as far as it matters to what follows.
struct FixedPart {
  std::uint32_t options = 0;
  std::uint32_t cursor_id = 0;
  bool has_sql = false;
  std::uint32_t sql_bytes = 0;
  std::uint32_t scalar_count = 0;
  std::uint32_t prefetch_rows = 0;
  std::uint32_t bind_count = 0;
  std::uint32_t define_count = 0;
  bool wants_row_counts = false;
};

FixedPart read_fixed_part(Reader& in, unsigned version) {
  FixedPart part;
  part.options = in.ub4();
  part.cursor_id = in.ub4();
  part.has_sql = in.u8() != 0;
  part.sql_bytes = in.ub4();
  in.skip(1);
  part.scalar_count = in.ub4();
  in.skip(2);
  in.ub4();
  part.prefetch_rows = in.ub4();
  in.ub4();
  const bool has_binds = in.u8() != 0;
  const std::uint32_t bind_count = in.ub4();
  part.bind_count = has_binds ? bind_count : 0;
  in.skip(5);
  const bool has_defines = in.u8() != 0;
  const std::uint32_t define_count = in.ub4();
  part.define_count = has_defines ? define_count : 0;
  if (version >= 4) {
    in.ub4();
    in.skip(2);
  }
  if (version >= 5) {
    in.skip(1);
    in.ub4();
    in.skip(1);
    in.ub4();
    in.ub4();
  }
  if (version >= 7) {
    part.wants_row_counts = in.u8() != 0;
    in.ub4();
    in.skip(1);
  }
  if (version >= 8) {
    in.skip(1);
    in.ub4();
    in.skip(1);
    in.ub4();
    in.skip(1);
  }
  if (version >= 9) {
    in.skip(1);
    in.ub4();
  }
  return part;
}

Variable read_variable(Reader& in, const wire::Dialect& dialect) {
  Variable variable;
  variable.type = in.u8();
  variable.flags = in.u8();
  in.skip(1);
  in.sb2();  // a scale; always 0, which is one byte in either form
  variable.buffer_bytes = in.ub4();
  variable.max_elements = in.ub4();
  variable.continuation_flags = in.ub8();
  in.skip_dlc();
  in.ub4();
  variable.charset = in.ub2();
  variable.form = in.u8();
  if (dialect.field_version >= 3) variable.prefetch_bytes = in.ub4();
  if (dialect.field_version >= 8) in.ub4();
  return variable;
}

std::vector<Variable> read_variables(Reader& in, std::uint32_t count,
                                     const wire::Dialect& dialect) {
  std::vector<Variable> variables;
  if (count > kMaxVariables) in.fail("more binds or defines than a statement can have");
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    variables.push_back(read_variable(in, dialect));
  }
  return variables;
}

std::string read_sql(Reader& in, const Session& session, std::uint32_t bytes) {
  // Newer versions may have more fields than are known; a statement does not begin with a zero.
  constexpr int kMaxUnknownBytes = 16;
  for (int i = 0; i < kMaxUnknownBytes && in.remaining() > 0 && in.peek() == 0; ++i) in.skip(1);
  const std::string text =
      session.dialect.text_is_clr ? in.clr_text() : std::string(wire::text_of(in.raw(bytes)));
  return to_utf8(text, session.client_charset);
}

/// Which binds a row of values holds, and which of them come after the others.
struct RowShape {
  std::vector<bool> is_sent, is_long;
};

/// Drivers do not agree on the binds that only receive a value: some send a place holder.
struct SentBinds {
  bool returning = false;  ///< those of a RETURNING clause
  bool out_only = true;    ///< those that PL/SQL only writes to
};

bool is_long_type(std::uint8_t type) {
  constexpr std::array<std::uint8_t, 4> kLongTypes = {8, 24, 94, 95};
  return std::find(kLongTypes.begin(), kLongTypes.end(), type) != kLongTypes.end();
}

RowShape row_shape(const Session& session, const Cursor& cursor, const StatementShape& statement,
                   SentBinds sent) {
  const std::uint32_t limit = session.dialect.long_strings ? 32767 : 4000;
  const std::size_t count = cursor.binds.size();
  RowShape row;
  for (std::size_t i = 0; i < count; ++i) {
    const Variable& bind = cursor.binds[i];
    const bool is_returning = i + statement.returning >= count;
    const bool is_out_only =
        i < cursor.directions.size() && cursor.directions[i] == wire::BindDirection::kOut;
    row.is_sent.push_back(!bind.is_repeated() && (!is_returning || sent.returning) &&
                          (!is_out_only || sent.out_only));
    row.is_long.push_back(!statement.is_plsql &&
                          (bind.buffer_bytes > limit || is_long_type(bind.type)));
  }
  return row;
}

/// The value of a placeholder that occurs again is sent once.
void repeat_values(const Cursor& cursor, const StatementShape& statement, Json& row) {
  const std::vector<std::string>& names = statement.placeholders;
  for (std::size_t i = 0; i < cursor.binds.size() && i < names.size(); ++i) {
    if (!cursor.binds[i].is_repeated()) continue;
    const auto first = std::find(names.begin(), names.end(), names[i]);
    row[i] = row[static_cast<std::size_t>(first - names.begin())];
  }
}

Json read_bind_row(Reader& in, const Session& session, const Cursor& cursor,
                   const RowShape& shape) {
  Json row = Json(std::vector<Json>(cursor.binds.size()));
  for (const bool is_long : {false, true}) {
    for (std::size_t i = 0; i < cursor.binds.size() && in.ok(); ++i) {
      if (!shape.is_sent[i] || shape.is_long[i] != is_long) continue;
      row[i] = read_bind_value(in, session, cursor.binds[i]);
    }
  }
  return row;
}

Json read_rows_of(Reader& in, const Session& session, const Cursor& cursor,
                  const StatementShape& statement, SentBinds sent) {
  const RowShape shape = row_shape(session, cursor, statement, sent);
  Json rows = Json::array();
  while (in.ok() && in.remaining() > 0 &&
         in.peek() == static_cast<std::uint8_t>(wire::Message::kRowData)) {
    in.skip(1);
    rows.push_back(read_bind_row(in, session, cursor, shape));
    repeat_values(cursor, statement, rows.back());
  }
  return rows;
}

/// One row as a list of values, several as a list of rows. `expected` is tried first; a reading
/// that uses the request up to its end is better than one that does not.
void read_bind_rows(Reader& in, const Session& session, SentBinds expected, Call& call, Json& out) {
  if (call.cursor.binds.empty()) return;
  const StatementShape statement = shape_of(call.cursor.sql);
  const Reader begin = in;
  Json rows = read_rows_of(in, session, call.cursor, statement, expected);
  const Reader end = in;
  const auto is_whole = [&] { return in.ok() && in.remaining() == 0; };
  for (const bool returning : {false, true}) {
    for (const bool out_only : {true, false}) {
      if (is_whole()) break;
      in = begin;
      Json other = read_rows_of(in, session, call.cursor, statement, {returning, out_only});
      if (is_whole()) rows = std::move(other);
    }
  }
  if (!is_whole()) in = end;
  if (rows.empty()) return;
  call.executions = static_cast<std::uint32_t>(rows.size());
  if (rows.size() == 1) {
    out["binds"] = rows[0];
  } else {
    out["binds"] = rows;
  }
}

const Cursor* find_cursor(const Session& session, std::uint32_t id) {
  const auto found = session.cursors.find(id);
  return id != 0 && found != session.cursors.end() ? &found->second : nullptr;
}

void note_cursor(const Session& session, Call& call, Json& out) {
  if (call.cursor_id == 0) return;
  out["cursor"] = call.cursor_id;
  if (const Cursor* cursor = find_cursor(session, call.cursor_id)) call.cursor = *cursor;
}

/// What runs again, although its text was sent with an earlier call.
void note_sql(const Call& call, Json& out) {
  if (!call.cursor.sql.empty()) out["sql"] = call.cursor.sql;
}

Json bind_types(const std::vector<Variable>& variables) {
  Json names = Json::array();
  for (const Variable& variable : variables) {
    names.push_back(type_name(variable.type, variable.form) + (variable.is_array() ? "[]" : ""));
  }
  return names;
}

}  // namespace

void decode_execute(Reader& in, const Session& session, Call& call, Json& out) {
  const FixedPart part = read_fixed_part(in, session.dialect.field_version);
  call.options = part.options;
  call.cursor_id = part.cursor_id;
  call.wants_row_counts = part.wants_row_counts;
  if (part.has_sql && in.ok()) {
    call.cursor.sql = read_sql(in, session, part.sql_bytes);
    out["sql"] = call.cursor.sql;
    if (part.cursor_id != 0) out["cursor"] = part.cursor_id;
  } else {
    note_cursor(session, call, out);
    if ((part.options & kOptionExecute) != 0) note_sql(call, out);
  }
  out["options"] = option_names(part.options);
  out["prefetch_rows"] = part.prefetch_rows;
  if (part.scalar_count > 64) in.fail("more execute parameters than there are");
  std::vector<std::uint32_t> scalars(kScalarParameters);
  for (std::uint32_t i = 0; i < part.scalar_count && in.ok(); ++i) {
    const std::uint32_t value = in.ub4();
    if (i < scalars.size()) scalars[i] = value;
  }
  out["iterations"] = scalars[1];
  if (part.bind_count != 0) {
    call.cursor.binds = read_variables(in, part.bind_count, session.dialect);
    out["bind_types"] = bind_types(call.cursor.binds);
  }
  if (part.define_count != 0) {
    call.cursor.defines = read_variables(in, part.define_count, session.dialect);
    out["defines"] = bind_types(call.cursor.defines);
  }
  const bool is_plsql_form = (part.options & kOptionPlsqlBind) != 0;
  read_bind_rows(in, session, {is_plsql_form, true}, call, out);
}

void decode_reexecute(Reader& in, const Session& session, Call& call, Json& out) {
  call.cursor_id = in.ub4();
  const std::uint32_t iterations = in.ub4();
  in.ub4();
  in.ub4();
  note_cursor(session, call, out);
  note_sql(call, out);
  out["iterations"] = iterations;
  read_bind_rows(in, session, {false, false}, call, out);
}

void decode_fetch(Reader& in, const Session& session, Call& call, Json& out) {
  call.cursor_id = in.ub4();
  const std::uint32_t rows = in.ub4();
  note_cursor(session, call, out);
  out["fetch_rows"] = rows;
}

}  // namespace wherry::oracle::trace
