#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/charset.h"
#include "engine/containers.h"
#include "exec/function_table.h"
#include "store/compatible.h"

namespace orasim::functions {
namespace {

// ---- choosing among values ----------------------------------------------------------------------

Value as_type_of(const Value& v, const Value& like, const FunctionContext& c) {
  if (v.is_null() || v.type == like.type) return v;
  if (is_text(v.type) && is_text(like.type)) return v;
  return convert(v, like.type, c.convert);
}

Value nvl(const Args& a, const FunctionContext& c) {
  return a[0].is_null() ? as_type_of(a[1], a[0], c) : a[0];
}
Value nvl2(const Args& a, const FunctionContext& c) {
  return a[0].is_null() ? as_type_of(a[2], a[1], c) : a[1];
}
Value coalesce(const Args& a, const FunctionContext&) {
  for (const Value& v : a) {
    if (!v.is_null()) return v;
  }
  return a[0];
}
Value nullif(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return a[0];
  return compare(a[0], a[1], c.convert) == 0 ? make_null(a[0].type) : a[0];
}

Value decode(const Args& a, const FunctionContext& c) {
  std::size_t i = 1;
  for (; i + 1 < a.size(); i += 2) {
    const bool both_null = a[0].is_null() && a[i].is_null();
    const bool equal = !a[0].is_null() && !a[i].is_null() && compare(a[0], a[i], c.convert) == 0;
    if (both_null || equal) return as_type_of(a[i + 1], a[2], c);
  }
  return i < a.size() ? as_type_of(a[i], a[2], c) : make_null(a[2].type);
}

template <bool kGreatest>
Value extreme(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(a[0].type);
  Value best = a[0];
  for (std::size_t i = 1; i < a.size(); ++i) {
    const Value other = as_type_of(a[i], a[0], c);
    const auto order = compare(other, best, c.convert);
    if (kGreatest ? order > 0 : order < 0) best = other;
  }
  return best;
}

DataType wider(DataType best, const DataType& t) {
  if (t.type == best.type || (is_text(t.type) && is_text(best.type))) {
    best.size_bytes = std::max(best.size_bytes, t.size_bytes);
    best.size_chars = std::max(best.size_chars, t.size_chars);
    if (best.type == Type::kChar && t.type == Type::kVarchar2) best.type = Type::kVarchar2;
    if (best.type == Type::kNumber) best.has_precision = best.has_scale = false;
  }
  return best;
}
DataType first_type(const std::vector<DataType>& a) {
  DataType best = a[0];
  for (const DataType& t : a) best = wider(best, t);
  return best;
}
DataType nvl2_type(const std::vector<DataType>& a) {
  return wider(a[1], a[2]);
}
DataType decode_type(const std::vector<DataType>& a) {
  DataType best = a[2];
  std::size_t i = 4;
  for (; i < a.size(); i += 2) best = wider(best, a[i]);
  if (a.size() % 2 == 0) best = wider(best, a.back());
  return best;
}

// ---- conversions
// ---------------------------------------------------------------------------------

Value to_number_of(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (a.size() == 1) return to_number(a[0], c.convert);
  return make_number(parse_number(as_text(a[0], c), as_text(a[1], c), *c.nls));
}
Value to_binary_double(const Args& a, const FunctionContext& c) {
  return to_binary(a[0], Type::kBinaryDouble, c.convert);
}
Value to_binary_float(const Args& a, const FunctionContext& c) {
  return to_binary(a[0], Type::kBinaryFloat, c.convert);
}
Value to_clob(const Args& a, const FunctionContext& c) {
  return to_lob(a[0], Type::kClob, c.convert);
}
Value to_nclob(const Args& a, const FunctionContext& c) {
  Value v = to_lob(a[0], Type::kClob, c.convert);
  v.national = true;
  return v;
}
Value to_blob(const Args& a, const FunctionContext& c) {
  return to_lob(a[0], Type::kBlob, c.convert);
}
Value to_lob_of_long(const Args& a, const FunctionContext& c) {
  const bool binary = a[0].type == Type::kLongRaw;
  return to_lob(a[0], binary ? Type::kBlob : Type::kClob, c.convert);
}
DataType lob_of_long_type(const std::vector<DataType>& a) {
  return plain_type(a[0].type == Type::kLongRaw ? Type::kBlob : Type::kClob);
}
Value to_nchar(const Args& a, const FunctionContext& c) {
  Value v = a.size() > 1 ? find_function("TO_CHAR")->call(a, c) : to_varchar(a[0], c.convert);
  v.national = true;
  return v;
}
Value empty_clob(const Args&, const FunctionContext&) {
  return Value{Type::kClob, false, std::make_shared<const LobData>()};
}
Value empty_blob(const Args&, const FunctionContext&) {
  return Value{Type::kBlob, false, std::make_shared<const LobData>()};
}
Value hextoraw(const Args& a, const FunctionContext& c) {
  return to_raw(a[0], c.convert);
}
Value rawtohex(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  if (is_text(a[0].type)) {
    return to_varchar(make_text(as_text(a[0], c), Type::kRaw), c.convert);
  }
  return to_varchar(to_raw(a[0], c.convert), c.convert);
}
Value cast_to_raw(const Args& a, const FunctionContext& c) {
  return make_text(lob_or_text(a[0], c), Type::kRaw);
}
Value cast_to_varchar2(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kVarchar2);
  return make_text(to_raw(a[0], c.convert).text());
}
Value raw_concat(const Args& a, const FunctionContext& c) {
  std::string out;
  for (const Value& v : a) {
    if (!v.is_null()) out += to_raw(v, c.convert).text();
  }
  return make_text(std::move(out), Type::kRaw);
}
Value raw_length(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  return make_int(static_cast<std::int64_t>(to_raw(a[0], c.convert).text().size()));
}
Value lob_substr(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_null(a[0].type == Type::kBlob ? Type::kRaw : Type::kVarchar2);
  const Value amount = a.size() > 1 ? a[1] : make_int(32767);
  const Value offset = a.size() > 2 ? a[2] : make_int(1);
  if (a[0].type == Type::kBlob) {
    const std::int64_t start = as_int(offset, c);
    const std::string& data = a[0].lob()->data;
    if (start < 1 || start > static_cast<std::int64_t>(data.size())) return make_null(Type::kRaw);
    return make_text(
        data.substr(static_cast<std::size_t>(start - 1),
                    static_cast<std::size_t>(std::max<std::int64_t>(as_int(amount, c), 0))),
        Type::kRaw);
  }
  Value text = find_function("SUBSTR")->call({a[0], offset, amount}, c);
  return text.is_null() ? make_null(Type::kVarchar2) : make_text(std::string(text_of(text)));
}
Value rowid_to_char(const Args& a, const FunctionContext& c) {
  return to_varchar(a[0], c.convert);
}
Value char_to_rowid(const Args& a, const FunctionContext& c) {
  return convert(a[0], Type::kRowid, c.convert);
}
template <class Field>
Value rowid_part(const Args& a, const FunctionContext& c, Field field) {
  if (any_null(a)) return make_null(Type::kNumber);
  return make_int(static_cast<std::int64_t>(
      field(std::get<RowId>(convert(a[0], Type::kRowid, c.convert).data))));
}
Value rowid_object(const Args& a, const FunctionContext& c) {
  return rowid_part(a, c, [](const RowId& r) { return r.object; });
}
Value rowid_file(const Args& a, const FunctionContext& c) {
  return rowid_part(a, c, [](const RowId& r) { return r.file; });
}
Value rowid_block(const Args& a, const FunctionContext& c) {
  return rowid_part(a, c, [](const RowId& r) { return r.block; });
}
Value rowid_row(const Args& a, const FunctionContext& c) {
  return rowid_part(a, c, [](const RowId& r) { return r.slot; });
}

// ---- the session and the server
// -------------------------------------------------------------------

Value user(const Args&, const FunctionContext& c) {
  return make_text(c.identity->user);
}
Value uid(const Args&, const FunctionContext& c) {
  return make_int(static_cast<std::int64_t>(c.identity->session_id));
}

/// The second half of the version decides nothing; service and names are the server's options.
Value userenv_value(std::string name, const FunctionContext& c) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::toupper(ch)); });
  const SessionIdentity& s = *c.identity;
  if (name == "SESSION_USER" || name == "CURRENT_USER" || name == "AUTHENTICATED_IDENTITY") {
    return make_text(s.user);
  }
  if (name == "CURRENT_SCHEMA") return make_text(c.current_schema);
  if (name == "SID" || name == "SESSIONID" || name == "CURRENT_USERID" ||
      name == "CURRENT_SCHEMAID") {
    return make_text(std::to_string(s.session_id));
  }
  if (name == "SERVICE_NAME" || name == "DB_NAME" || name == "DB_UNIQUE_NAME" ||
      name == "INSTANCE_NAME") {
    return make_text(c.database->service_name);
  }
  if (name == "CON_NAME") {
    return make_text(c.container == containers::kNone
                         ? c.database->service_name
                         : containers::name_of(c.container, c.database->service_name));
  }
  if (name == "CON_ID") return make_text(std::to_string(c.container));
  if (name == "HOST") return make_text(s.machine);
  if (name == "TERMINAL") return make_text(s.terminal);
  if (name == "OS_USER") return make_text(s.os_user);
  if (name == "MODULE")
    return make_text(c.end_to_end.module.empty() ? s.program : c.end_to_end.module);
  if (name == "ACTION") return make_text(c.end_to_end.action);
  if (name == "CLIENT_IDENTIFIER") return make_text(c.end_to_end.client_identifier);
  if (name == "CLIENT_INFO") return make_text(c.end_to_end.client_info);
  if (name == "CLIENT_PROGRAM_NAME") return make_text(s.program);
  if (name == "LANGUAGE")
    return make_text(c.nls->language + "_" + c.nls->territory + "." +
                     std::string(database_charset().name));
  if (name == "LANG") return make_text("US");
  if (name == "NLS_DATE_FORMAT") return make_text(c.nls->date_format);
  if (name == "NLS_SORT") return make_text(c.nls->sort);
  if (name == "NLS_TERRITORY") return make_text(c.nls->territory);
  if (name == "ISDBA") return make_text("FALSE");
  if (name == "INSTANCE") return make_text("1");
  if (name == "DATABASE_ROLE") return make_text("PRIMARY");
  if (name == "NETWORK_PROTOCOL") return make_text("tcp");
  return make_null(Type::kVarchar2);
}
Value sys_context(const Args& a, const FunctionContext& c) {
  if (a[0].is_null() || a[1].is_null()) return make_null(Type::kVarchar2);
  std::string space = as_text(a[0], c);
  std::transform(space.begin(), space.end(), space.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::toupper(ch)); });
  return space == "USERENV" ? userenv_value(as_text(a[1], c), c) : make_null(Type::kVarchar2);
}
Value userenv(const Args& a, const FunctionContext& c) {
  return userenv_value(as_text(a[0], c), c);
}

Value current_scn(const Args&, const FunctionContext& c) {
  return make_int(static_cast<std::int64_t>(c.current_scn));
}

// The package that JDBC's metadata asks; each answer is what V$PARAMETER shows.
Value compatible(const Args&, const FunctionContext& c) {
  return make_text(compatible_release(c.database->version));
}

Value max_string_size(const Args&, const FunctionContext& c) {
  return make_text(c.database->extended_strings ? "EXTENDED" : "STANDARD");
}

Value sys_guid(const Args&, const FunctionContext&) {
  std::string bytes(16, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), 16);
  return make_text(std::move(bytes), Type::kRaw);
}

double random_unit() {
  std::uint64_t bits = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}
Value random_value(const Args& a, const FunctionContext& c) {
  const double u = random_unit();
  if (a.size() < 2) return make_number(Number::from_double(u));
  const double low = as_number(a[0], c).to_double();
  const double high = as_number(a[1], c).to_double();
  return make_number(Number::from_double(low + u * (high - low)));
}
Value random_string(const Args& a, const FunctionContext& c) {
  const std::string kind = as_text(a[0], c);
  const std::int64_t length = as_int(a[1], c);
  if (length < 0 || length > 4000) raise(1428);
  static constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  static constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
  static constexpr std::string_view kMixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  static constexpr std::string_view kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const char k = kind.empty() ? 'U' : kind[0];
  const std::string_view set = k == 'l' || k == 'L'   ? kLower
                               : k == 'a' || k == 'A' ? kMixed
                               : k == 'x' || k == 'X' ? kAlphanumeric
                                                      : kUpper;
  std::string out;
  for (std::int64_t i = 0; i < length; ++i) {
    out += set[static_cast<std::size_t>(random_unit() * static_cast<double>(set.size()))];
  }
  return make_text(std::move(out));
}

/// FNV-1a: Oracle does not say which hash ORA_HASH is, only its range.
Value ora_hash(const Args& a, const FunctionContext& c) {
  std::uint32_t hash = 2166136261U;
  for (const char ch : lob_or_text(a[0], c))
    hash = (hash ^ static_cast<unsigned char>(ch)) * 16777619U;
  const std::int64_t buckets = a.size() > 1 ? as_int(a[1], c) : 4294967295;
  if (buckets < 0) raise(1428);
  return make_int(static_cast<std::int64_t>(hash) % (buckets + 1));
}

Value standard_hash(const Args& a, const FunctionContext& c) {
  std::string method = a.size() > 1 ? as_text(a[1], c) : "SHA1";
  const EVP_MD* digest = EVP_get_digestbyname(method.c_str());
  if (digest == nullptr) raise(902);
  std::string data;
  if (!a[0].is_null()) {
    data = a[0].type == Type::kRaw ? a[0].text() : lob_or_text(a[0], c);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned int size = 0;
  EVP_Digest(data.data(), data.size(), out.data(), &size, digest, nullptr);
  return make_text(std::string(reinterpret_cast<char*>(out.data()), size), Type::kRaw);
}

/// Constants of packages.
template <int kValue>
Value constant(const Args&, const FunctionContext&) {
  return make_int(kValue);
}

Value vsize(const Args& a, const FunctionContext& c) {
  if (any_null(a)) return make_null(Type::kNumber);
  if (a[0].type == Type::kNumber)
    return make_int(static_cast<std::int64_t>(a[0].number().bytes().size()));
  if (a[0].type == Type::kDate) return make_int(7);
  return make_int(static_cast<std::int64_t>(lob_or_text(a[0], c).size()));
}

/// DUMP(x): type number, length and bytes in decimal.
Value dump(const Args& a, const FunctionContext& c) {
  if (a[0].is_null()) return make_text("NULL");
  std::string bytes;
  if (a[0].type == Type::kNumber) {
    const auto stored = a[0].number().bytes();
    bytes.assign(stored.begin(), stored.end());
  } else if (a[0].type == Type::kDate) {
    const DateTime& t = a[0].date_time();
    const int century = t.year / 100;
    for (const int part : {century + 100, t.year - century * 100 + 100, int{t.month}, int{t.day},
                           t.hour + 1, t.minute + 1, t.second + 1}) {
      bytes += static_cast<char>(part);
    }
  } else {
    bytes = a[0].type == Type::kRaw ? a[0].text() : lob_or_text(a[0], c);
  }
  std::string out = "Typ=" + std::to_string(static_cast<int>(a[0].type)) +
                    " Len=" + std::to_string(bytes.size()) + ": ";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0) out += ',';
    out += std::to_string(static_cast<unsigned char>(bytes[i]));
  }
  return make_text(std::move(out));
}

DataType binary_double_type(const std::vector<DataType>&) {
  return plain_type(Type::kBinaryDouble);
}
DataType binary_float_type(const std::vector<DataType>&) {
  return plain_type(Type::kBinaryFloat);
}
DataType raw_type(const std::vector<DataType>& a) {
  DataType t = plain_type(Type::kRaw);
  t.size_bytes =
      a.empty() || a[0].size_bytes == 0 ? 2000 : std::min<std::uint32_t>(a[0].size_bytes, 2000);
  return t;
}
DataType raw16_type(const std::vector<DataType>&) {
  DataType t = plain_type(Type::kRaw);
  t.size_bytes = 16;
  return t;
}
DataType rowid_type(const std::vector<DataType>&) {
  return plain_type(Type::kRowid);
}
DataType rowid_text_type(const std::vector<DataType>&) {
  return varchar_type(18);
}
DataType name_type(const std::vector<DataType>&) {
  return varchar_type(128);
}
DataType lob_substr_type(const std::vector<DataType>& a) {
  if (a[0].type != Type::kBlob) return varchar_type(4000);
  DataType t = plain_type(Type::kRaw);
  t.size_bytes = 2000;
  return t;
}
DataType nclob_type(const std::vector<DataType>&) {
  DataType t = plain_type(Type::kClob);
  t.national = true;
  return t;
}
DataType national_text_type(const std::vector<DataType>&) {
  return varchar_type(4000, true);
}

constexpr ScalarFunction kGeneralFunctions[] = {
    {"NVL", 2, 2, nvl, first_type},
    {"NVL2", 3, 3, nvl2, nvl2_type},
    {"COALESCE", 1, -1, coalesce, first_type},
    {"NULLIF", 2, 2, nullif, first_type},
    {"DECODE", 3, -1, decode, decode_type},
    {"GREATEST", 1, -1, extreme<true>, first_type},
    {"LEAST", 1, -1, extreme<false>, first_type},
    {"TO_NUMBER", 1, 3, to_number_of, number_type},
    {"TO_BINARY_DOUBLE", 1, 2, to_binary_double, binary_double_type},
    {"TO_BINARY_FLOAT", 1, 2, to_binary_float, binary_float_type},
    {"TO_CLOB", 1, 2, to_clob, clob_type},
    {"TO_NCLOB", 1, 1, to_nclob, nclob_type},
    {"TO_BLOB", 1, 2, to_blob, blob_type},
    {"TO_LOB", 1, 1, to_lob_of_long, lob_of_long_type},
    {"TO_NCHAR", 1, 3, to_nchar, national_text_type},
    {"EMPTY_CLOB", 0, 0, empty_clob, clob_type},
    {"EMPTY_BLOB", 0, 0, empty_blob, blob_type},
    {"HEXTORAW", 1, 1, hextoraw, raw_type},
    {"RAWTOHEX", 1, 1, rawtohex, long_text_type},
    {"UTL_RAW.CAST_TO_RAW", 1, 1, cast_to_raw, raw_type},
    {"UTL_RAW.CAST_TO_VARCHAR2", 1, 1, cast_to_varchar2, long_text_type},
    {"UTL_RAW.CONCAT", 1, -1, raw_concat, raw_type},
    {"UTL_RAW.LENGTH", 1, 1, raw_length, number_type},
    {"DBMS_LOB.SUBSTR", 1, 3, lob_substr, lob_substr_type},
    {"ROWIDTOCHAR", 1, 1, rowid_to_char, rowid_text_type},
    {"CHARTOROWID", 1, 1, char_to_rowid, rowid_type},
    {"DBMS_ROWID.ROWID_OBJECT", 1, 1, rowid_object, number_type},
    {"DBMS_ROWID.ROWID_RELATIVE_FNO", 1, 1, rowid_file, number_type},
    {"DBMS_ROWID.ROWID_BLOCK_NUMBER", 1, 2, rowid_block, number_type},
    {"DBMS_ROWID.ROWID_ROW_NUMBER", 1, 1, rowid_row, number_type},
    {"USER", 0, 0, user, name_type},
    {"DBMS_LOGMNR.NEW", 0, 0, constant<1>, number_type},
    {"DBMS_LOGMNR.REMOVEFILE", 0, 0, constant<2>, number_type},
    {"DBMS_LOGMNR.ADDFILE", 0, 0, constant<3>, number_type},
    {"DBMS_LOGMNR.NO_DICT_RESET_ONSELECT", 0, 0, constant<1>, number_type},
    {"DBMS_LOGMNR.COMMITTED_DATA_ONLY", 0, 0, constant<2>, number_type},
    {"DBMS_LOGMNR.SKIP_CORRUPTION", 0, 0, constant<4>, number_type},
    {"DBMS_LOGMNR.DDL_DICT_TRACKING", 0, 0, constant<8>, number_type},
    {"DBMS_LOGMNR.DICT_FROM_ONLINE_CATALOG", 0, 0, constant<16>, number_type},
    {"DBMS_LOGMNR.DICT_FROM_REDO_LOGS", 0, 0, constant<32>, number_type},
    {"DBMS_LOGMNR.NO_SQL_DELIMITER", 0, 0, constant<64>, number_type},
    {"DBMS_LOGMNR.PRINT_PRETTY_SQL", 0, 0, constant<512>, number_type},
    {"DBMS_LOGMNR.CONTINUOUS_MINE", 0, 0, constant<1024>, number_type},
    {"DBMS_LOGMNR.NO_ROWID_IN_STMT", 0, 0, constant<2048>, number_type},
    {"DBMS_LOGMNR.STRING_LITERALS_IN_STMT", 0, 0, constant<4096>, number_type},
    {"UID", 0, 0, uid, number_type},
    {"SYS_CONTEXT", 2, 3, sys_context, name_type},
    {"USERENV", 1, 1, userenv, name_type},
    {"DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER", 0, 0, current_scn, number_type},
    {"PRIVATE_JDBC.GET_COMPATIBLE", 0, 0, compatible, name_type},
    {"PRIVATE_JDBC.GET_MAX_STRING_SIZE", 0, 0, max_string_size, name_type},
    {"SYS_GUID", 0, 0, sys_guid, raw16_type},
    {"DBMS_RANDOM.VALUE", 0, 2, random_value, number_type},
    {"DBMS_RANDOM.STRING", 2, 2, random_string, long_text_type},
    {"ORA_HASH", 1, 3, ora_hash, number_type},
    {"STANDARD_HASH", 1, 2, standard_hash, raw_type},
    {"VSIZE", 1, 1, vsize, number_type},
    {"DUMP", 1, 1, dump, long_text_type},
};

}  // namespace

std::span<const ScalarFunction> general_functions() {
  return kGeneralFunctions;
}

}  // namespace orasim::functions
