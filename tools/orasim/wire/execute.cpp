// Execute and re-execute: fixed part, metadata, bind rows.
#include <algorithm>

#include "engine/value.h"
#include "wire/request.h"
#include "wire/response.h"
#include "wire/sql_scan.h"

namespace orasim::wire {

namespace {

constexpr std::uint32_t kMaxBinds = 65535;
constexpr std::uint32_t kMaxRows = 1u << 24;
constexpr std::uint8_t kTypeRowid = 11;
constexpr std::uint8_t kTypeObject = 109;
constexpr std::uint8_t kTypeClob = 112;
constexpr std::uint8_t kTypeBfile = 114;
constexpr std::uint8_t kTypeJson = 119;
constexpr std::uint8_t kTypeVector = 127;
constexpr std::uint8_t kTypeBoolean = 252;

TypeSpec decode_type_spec(Reader& in, const Dialect& dialect) {
  TypeSpec spec;
  spec.type = in.u8();
  spec.flags = in.u8();
  in.skip(1);  // precision and scale: zero from most clients, JDBC's times carry theirs
  if (dialect.scale_is_sb2 && has_wide_scale(spec.type)) {
    in.sb2();
  } else {
    in.skip(1);
  }
  spec.buffer_bytes = in.ub4();
  spec.max_elements = in.ub4();
  spec.continuation = in.ub8();
  spec.type_oid = in.dlc_text();
  in.ub4();
  spec.charset = in.ub2();
  spec.charset_form = in.u8();
  spec.prefetch = in.ub4();
  if (dialect.field_version >= 8) in.ub4();
  return spec;
}

std::vector<TypeSpec> decode_type_specs(Reader& in, const Dialect& dialect, std::uint32_t n) {
  if (n > kMaxBinds) throw BadMessage("too many binds or defines");
  std::vector<TypeSpec> specs;
  for (std::uint32_t i = 0; i < n; ++i) specs.push_back(decode_type_spec(in, dialect));
  return specs;
}

void take_content(Reader& in, BindValue& out) {
  ByteView view;
  out.is_null = !in.clr(view);
  out.content = as_text(view);
}

void decode_object(Reader& in, BindValue& out) {
  in.skip_dlc();  // type id
  in.skip_dlc();  // object id
  in.skip_dlc();  // snapshot
  in.ub2();
  const std::uint32_t length = in.ub4();
  in.ub2();
  if (length > 0) take_content(in, out);
}

// As in a row: the length byte tells only whether there is a value.
void decode_row_id(Reader& in, BindValue& out) {
  const std::uint8_t length = in.u8();
  if (length == 0 || length == 255) return;
  RowId row_id;
  row_id.object = in.ub4();
  row_id.file = in.ub2();
  in.skip(1);
  row_id.block = in.ub4();
  row_id.slot = in.ub2();
  out.is_null = false;
  out.content = to_text(row_id);
}

void decode_bind_value(Reader& in, const TypeSpec& spec, BindValue& out) {
  switch (spec.type) {
    case kTypeRowid:
      return decode_row_id(in, out);
    case kTypeObject:
      decode_object(in, out);
      return;
    case kTypeClob:
    case kTypeClob + 1:
    case kTypeBfile:
      if (in.ub4() != 0) take_content(in, out);
      return;
    case kTypeJson:
    case kTypeVector:
      if (in.ub4() == 0) return;
      in.clr_text();  // quasi locator
      take_content(in, out);
      return;
    default:
      break;
  }
  const std::uint8_t first = in.u8();
  if (first == 253 && spec.type == kTypeBoolean) {
    in.skip(1);
    return;
  }
  ByteView view;
  out.is_null = !in.clr_after(first, view);
  out.content = as_text(view);
}

// PL/SQL arrays are a count and the elements.
void decode_bind(Reader& in, const TypeSpec& spec, BindValue& out) {
  if (!spec.is_array()) return decode_bind_value(in, spec, out);
  out.is_null = false;
  for (std::uint32_t left = in.ub4(); left > 0; --left) {
    decode_bind_value(in, spec, out.elements.emplace_back());
  }
}

// Layout of the bind rows of one request.
struct RowShape {
  bool is_plsql = false;
  std::vector<TypeSpec> binds;
  std::vector<bool> skipped;  // no value comes for this bind
};

void decode_row(Reader& in, const Dialect& dialect, const RowShape& shape, BindRow& row) {
  row.resize(shape.binds.size());
  const auto is_long = [&](std::size_t i) {
    return !shape.is_plsql && shape.binds[i].buffer_bytes > dialect.max_string_bytes;
  };
  // Long values of SQL statements come after all the others of their row.
  for (const bool long_pass : {false, true}) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!shape.skipped[i] && is_long(i) == long_pass) decode_bind(in, shape.binds[i], row[i]);
    }
  }
}

std::vector<BindRow> decode_rows(Reader& in, const Dialect& dialect, const RowShape& shape,
                                 std::uint32_t count) {
  std::vector<BindRow> rows;
  if (shape.binds.empty()) return rows;
  if (count > kMaxRows) throw BadMessage("too many bind rows");
  const bool has_values =
      std::find(shape.skipped.begin(), shape.skipped.end(), false) != shape.skipped.end();
  for (std::uint32_t i = 0; i < count; ++i) {
    // Without values no row is sent at all, so nothing would bound the loop but the count.
    if (!has_values) {
      if (count > kMaxBinds) throw BadMessage("too many executions");
      rows.emplace_back(shape.binds.size());
      continue;
    }
    if (in.u8() != static_cast<std::uint8_t>(Message::kRowData)) {
      throw BadMessage("bind row expected");
    }
    decode_row(in, dialect, shape, rows.emplace_back());
  }
  return rows;
}

struct FixedPart {
  bool has_sql = false;
  std::uint32_t sql_bytes = 0;
  std::uint32_t al8i4 = 0;
  std::uint32_t binds = 0;
  std::uint32_t defines = 0;
};

FixedPart decode_fixed(Reader& in, const Dialect& dialect, ExecuteRequest& out) {
  FixedPart part;
  out.options = in.ub4();
  out.cursor_id = in.ub4();
  part.has_sql = in.u8() != 0;
  part.sql_bytes = in.ub4();
  in.skip(1);
  part.al8i4 = in.ub4();
  in.skip(2);
  in.ub4();  // prefetch buffer bytes
  out.prefetch_rows = in.ub4();
  in.ub4();  // longest LONG
  const bool has_binds = in.u8() != 0;
  part.binds = in.ub4();
  in.skip(5);
  const bool has_defines = in.u8() != 0;
  part.defines = in.ub4();
  if (!has_binds) part.binds = 0;
  if (!has_defines) part.defines = 0;
  in.ub4();  // registration id
  in.skip(2);
  for (int pointer_and_length = 0; pointer_and_length < 2; ++pointer_and_length) {
    in.skip(1);
    in.ub4();
  }
  in.ub4();                          // registration id, high half
  if (dialect.field_version >= 7) {  // row counts
    in.skip(1);
    in.ub4();
    in.skip(1);
  }
  if (dialect.field_version >= 8) {
    in.skip(1);
    in.ub4();
    in.skip(1);
    in.ub4();
    in.skip(1);
  }
  if (dialect.field_version >= 9) {
    in.skip(1);
    in.ub4();
  }
  return part;
}

void decode_al8i4(Reader& in, std::uint32_t count, ExecuteRequest& out) {
  if (count > 64) throw BadMessage("execute vector is out of bounds");
  std::vector<std::uint32_t> values(std::max<std::uint32_t>(count, 13));
  for (std::uint32_t i = 0; i < count; ++i) values[i] = in.ub4();
  out.iterations = values[1];
  out.scn = static_cast<std::uint64_t>(values[6]) << 32 | values[5];
  out.flags = values[9];
  out.fetch_orientation = values[10];
  out.fetch_position = values[11];
}

void leave_out_repeated(RowShape& shape) {
  shape.skipped.resize(shape.binds.size(), false);
  for (std::size_t i = 0; i < shape.binds.size(); ++i) {
    if (shape.binds[i].is_repeated()) shape.skipped[i] = true;
  }
}

// The shape of this very request: its own SQL and metadata, or those of the cursor.
RowShape shape_for(const ExecuteRequest& request, const SqlShape& sql, const CursorShape* known) {
  RowShape shape;
  // Only clients that say "not PL/SQL" leave the RETURNING binds out of the first rows; the others
  // send a value for each bind, as for a block.
  const bool leaves_returning_out = request.has(kOptNotPlsql);
  if (request.sql) {
    shape.is_plsql = sql.is_plsql;
    if (leaves_returning_out) shape.skipped = sql.returning;
  } else if (known != nullptr) {
    shape.is_plsql = known->is_plsql;
    if (leaves_returning_out) shape.skipped = known->returning;
  }
  shape.binds = request.binds;
  // JDBC executes again without the bind option; the values come all the same.
  if (shape.binds.empty() && known != nullptr) shape.binds = known->binds;
  leave_out_repeated(shape);
  return shape;
}

RowShape shape_for_reexecution(const CursorShape& known) {
  RowShape shape{known.is_plsql, known.binds, known.returning};
  leave_out_repeated(shape);
  for (std::size_t i = 0; i < shape.skipped.size() && i < known.out_only.size(); ++i) {
    if (known.out_only[i]) shape.skipped[i] = true;
  }
  return shape;
}

}  // namespace

ExecuteRequest decode_execute(Reader& in, const Dialect& dialect, const CursorShapes& cursors) {
  ExecuteRequest out;
  const FixedPart part = decode_fixed(in, dialect, out);
  if (part.has_sql && part.sql_bytes > 0) out.sql = sized_text(in, dialect, part.sql_bytes);
  decode_al8i4(in, part.al8i4, out);
  out.defines = decode_type_specs(in, dialect, part.defines);
  out.binds = decode_type_specs(in, dialect, part.binds);
  const SqlShape scanned = out.sql ? scan_sql(*out.sql) : SqlShape{};
  const CursorShape* known = cursors.shape_of(out.cursor_id);
  // For queries the iteration count is a number of rows to fetch; there is one bind row.
  const bool query = out.sql ? scanned.is_query : known != nullptr && known->is_query;
  const std::uint32_t count = query ? 1 : std::max<std::uint32_t>(out.iterations, 1);
  if (out.has(kOptExecute)) {
    out.rows = decode_rows(in, dialect, shape_for(out, scanned, known), count);
  }
  return out;
}

ReexecuteRequest decode_reexecute(Reader& in, const Dialect& dialect, const CursorShapes& cursors) {
  ReexecuteRequest out;
  out.cursor_id = in.ub4();
  out.iterations = in.ub4();
  in.ub4();  // options 1: execute and fetch, told by the function already
  const std::uint32_t options_2 = in.ub4();
  out.commit = (options_2 & 1) != 0;
  const CursorShape* shape = cursors.shape_of(out.cursor_id);
  if (shape != nullptr) {
    const std::uint32_t count = shape->is_query ? 1 : std::max<std::uint32_t>(out.iterations, 1);
    out.rows = decode_rows(in, dialect, shape_for_reexecution(*shape), count);
  }
  return out;
}

}  // namespace orasim::wire
