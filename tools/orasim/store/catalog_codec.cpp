#include "store/catalog_codec.h"

#include <tuple>
#include <type_traits>
#include <utility>

#include "store/row_codec.h"

namespace orasim {
namespace {

// One list of fields per structure serves both directions: `io(v.field)` writes or reads it.

class Writer {
 public:
  explicit Writer(ByteWriter& out) : out_(out) {}
  static constexpr bool kReads = false;
  void operator()(const std::string& s) { out_.text(s); }
  void operator()(bool b) { out_.boolean(b); }
  void operator()(std::int64_t v) { out_.i64(v); }
  void operator()(std::uint64_t v) { out_.varint(v); }
  void operator()(std::uint32_t v) { out_.varint(v); }
  void operator()(std::uint16_t v) { out_.varint(v); }
  void operator()(std::int16_t v) { out_.varint(static_cast<std::uint16_t>(v)); }
  void operator()(const Number& n) {
    out_.text({reinterpret_cast<const char*>(n.bytes().data()), n.bytes().size()});
  }
  template <class E>
  requires std::is_enum_v<E>
  void operator()(E e) { out_.u8(static_cast<std::uint8_t>(e)); }
  void flag(std::vector<bool>::const_reference b) { out_.boolean(b); }
  template <class T>
  std::size_t count(const std::vector<T>& v) {
    out_.varint(v.size());
    return v.size();
  }

 private:
  ByteWriter& out_;
};

class Reader {
 public:
  explicit Reader(ByteReader& in) : in_(in) {}
  static constexpr bool kReads = true;
  void operator()(std::string& s) { s = in_.string(); }
  void operator()(bool& b) { b = in_.boolean(); }
  void operator()(std::int64_t& v) { v = in_.i64(); }
  void operator()(std::uint64_t& v) { v = in_.varint(); }
  void operator()(std::uint32_t& v) { v = static_cast<std::uint32_t>(in_.varint()); }
  void operator()(std::uint16_t& v) { v = static_cast<std::uint16_t>(in_.varint()); }
  void operator()(std::int16_t& v) {
    v = static_cast<std::int16_t>(static_cast<std::uint16_t>(in_.varint()));
  }
  void operator()(Number& n) {
    const std::string_view bytes = in_.text();
    const auto number =
        Number::from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    if (!number) throw CorruptBytes("a catalog record holds an invalid number");
    n = *number;
  }
  template <class E>
  requires std::is_enum_v<E>
  void operator()(E& e) { e = static_cast<E>(in_.u8()); }
  void flag(std::vector<bool>::reference b) { b = in_.boolean(); }
  template <class T>
  std::size_t count(std::vector<T>& v) {
    const std::size_t n = in_.count();
    v.clear();
    v.resize(n);
    return n;
  }

 private:
  ByteReader& in_;
};

template <class Io, class V>
void strings(Io& io, V& v) {
  const std::size_t n = io.count(v);
  for (std::size_t i = 0; i < n; ++i) io(v[i]);
}

template <class Io, class V>
void flags(Io& io, V& v) {
  const std::size_t n = io.count(v);
  for (std::size_t i = 0; i < n; ++i) io.flag(v[i]);
}

template <class Io, class V, class F>
void items(Io& io, V& v, F each) {
  const std::size_t n = io.count(v);
  for (std::size_t i = 0; i < n; ++i) each(io, v[i]);
}

void texts(Writer& io, const std::map<std::string, std::string>& m) {
  io(std::uint64_t{m.size()});
  for (const auto& [key, text] : m) io(key), io(text);
}

void texts(Reader& io, std::map<std::string, std::string>& m) {
  std::uint64_t n = 0;
  std::string key;
  for (io(n); n > 0; --n) {
    io(key);
    io(m[key]);
  }
}

template <class Io, class T>
void data_type(Io& io, T& t);

template <class Io, class O>
void object_type_body(Io& io, O& o) {
  io(o.owner), io(o.name), io(o.oid), io(o.kind), io(o.version), io(o.limit);
  items(io, o.attributes, [](auto& in, auto& a) {
    in(a.name);
    data_type(in, a.type);
  });
}

void object_type(Writer& io, const std::shared_ptr<const ObjectType>& o) {
  io(o != nullptr);
  if (o != nullptr) object_type_body(io, *o);
}

void object_type(Reader& io, std::shared_ptr<const ObjectType>& o) {
  bool is_there = false;
  io(is_there);
  if (!is_there) return;
  auto read = std::make_shared<ObjectType>();
  object_type_body(io, *read);
  o = std::move(read);
}

template <class Io, class T>
void data_type(Io& io, T& t) {
  io(t.type);
  io(t.national), io(t.char_semantics), io(t.has_precision), io(t.has_scale), io(t.is_float);
  io(t.precision), io(t.scale), io(t.size_bytes), io(t.size_chars), io(t.is_sparse);
  object_type(io, t.object);
}

/// A value travels as the image of a row of one column of its type.
RowLayout one_column(const Value& v) {
  TableDef table;
  table.columns.resize(1);
  table.columns[0].type.type = v.type;
  table.columns[0].type.national = v.national;
  return RowLayout(table);
}

void value(Writer& io, const Value& v) {
  LobKeeper lobs;
  std::string image, portable;
  encode_row(one_column(v), Row{v}, lobs, image);
  export_image(image, portable);
  io(v.type), io(v.national), io(portable);
}

void value(Reader& io, Value& v) {
  LobKeeper lobs;
  std::string image, portable;
  io(v.type), io(v.national), io(portable);
  import_image(portable, lobs, image);
  Row row;
  decode_row(one_column(v), image, row);
  v = row[0];
}

template <class Io, class C>
void column(Io& io, C& c) {
  io(c.name);
  data_type(io, c.type);
  io(c.nullable), io(c.default_sql), io(c.default_on_null);
  io(c.is_identity), io(c.identity_sequence), io(c.identity_always);
  io(c.is_virtual), io(c.virtual_sql), io(c.is_hidden), io(c.comment), io(c.stored_slot);
  value(io, c.value_when_absent);
}

template <class Io, class C>
void constraint(Io& io, C& c) {
  io(c.name), io(c.generated_name), io(c.kind);
  strings(io, c.columns);
  io(c.check_sql), io(c.is_not_null), io(c.ref_owner), io(c.ref_table), io(c.ref_constraint);
  strings(io, c.ref_columns);
  io(c.delete_rule), io(c.enabled), io(c.validated), io(c.deferrable), io(c.initially_deferred);
  io(c.index_name), io(c.index_owner), io(c.changed_unix);
}

template <class Io, class I>
void index(Io& io, I& i) {
  io(i.owner), io(i.name), io(i.unique), io(i.bitmap);
  strings(io, i.columns);
  flags(io, i.descending);
  io(i.generated_name), io(i.object_id), io(i.created_unix), io(i.function_based);
  io(i.made_for_constraint);
}

template <class Io, class T>
void object(Io& io, T& t, const TableDef*) {
  io(t.owner), io(t.name), io(t.object_id), io(t.data_object_id);
  items(io, t.columns, [](auto& in, auto& c) { column(in, c); });
  items(io, t.constraints, [](auto& in, auto& c) { constraint(in, c); });
  items(io, t.indexes, [](auto& in, auto& i) { index(in, i); });
  io(t.comment), io(t.index_organized), io(t.temporary), io(t.preserves_rows), io(t.partition_by);
  strings(io, t.partition_columns);
  items(io, t.partitions, [](auto& in, auto& p) { in(p.name), in(p.high_value), in(p.position); });
  io(t.created_scn), io(t.created_unix), io(t.last_ddl_unix), io(t.next_stored_slot);
  io(t.layout_version), io(t.structure_version), io(t.readable_from_scn);
  io(t.interval_partitioned), io(t.interval_sql);
  items(io, t.log_groups, [](auto& in, auto& g) {
    in(g.name), in(g.generated_name), in(g.kind), in(g.always);
    strings(in, g.columns);
  });
}

template <class Io, class S>
void object(Io& io, S& s, const SequenceDef*) {
  io(s.owner), io(s.name), io(s.start_with), io(s.increment_by), io(s.min_value);
  io(s.max_value), io(s.next_value), io(s.cycle), io(s.order), io(s.cache_size);
  io(s.object_id), io(s.created_unix), io(s.last_ddl_unix), io(s.restarts);
}

template <class Io, class C>
void object(Io& io, C& c, const CodeDef*) {
  io(c.owner), io(c.name), io(c.kind), io(c.text), io(c.object_id), io(c.enabled);
  io(c.table_owner), io(c.table_name);
  strings(io, c.view_columns);
  items(io, c.columns, [](auto& in, auto& made) { column(in, made); });
  io(c.created_unix), io(c.last_ddl_unix), io(c.valid), io(c.comment);
  texts(io, c.column_comments);
  object_type(io, c.type);
}

template <class Io, class U>
void object(Io& io, U& u, const UserDef*) {
  io(u.name), io(u.password), io(u.locked), io(u.expired);
  io(u.user_id), io(u.created_unix);
}

template <class Io, class P>
void object(Io& io, P& p, const PrincipalDef*) {
  io(p.name), io(p.is_role);
  items(io, p.objects, [](auto& in, auto& g) {
    in(g.owner), in(g.object), in(g.privilege), in(g.column), in(g.grantor), in(g.grantable);
  });
  const auto named = [](auto& in, auto& g) { in(g.name), in(g.with_admin); };
  items(io, p.system, named);
  items(io, p.roles, named);
  strings(io, p.quotas);
}

template <class Io>
void key(Io& io, std::conditional_t<Io::kReads, std::string, const std::string>& k) {
  io(k);
}
template <class Io, class A, class B>
void key(Io& io, std::pair<A, B>& k) {
  io(k.first), io(k.second);
}
template <class Io, class A, class B>
void key(Io& io, const std::pair<A, B>& k) {
  io(k.first), io(k.second);
}
template <class Io, class A>
void key(Io& io, std::tuple<A, A, A>& k) {
  io(std::get<0>(k)), io(std::get<1>(k)), io(std::get<2>(k));
}
template <class Io, class A>
void key(Io& io, const std::tuple<A, A, A>& k) {
  io(std::get<0>(k)), io(std::get<1>(k)), io(std::get<2>(k));
}

template <class Io, class S>
void supplemental(Io& io, S& s) {
  io(s.minimal), io(s.primary_key), io(s.unique), io(s.foreign_key), io(s.all);
  io(s.force_logging);
}

template <class Map>
void encode_map(const Map& before, const Map& after, ByteWriter& out) {
  Writer io(out);
  std::vector<typename Map::key_type> removed, changed;
  for (const auto& [name, def] : before) {
    if (!after.contains(name)) removed.push_back(name);
  }
  for (const auto& [name, def] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != def) changed.push_back(name);
  }
  out.varint(removed.size());
  for (const auto& name : removed) key(io, name);
  out.varint(changed.size());
  for (const auto& name : changed) {
    using Def = std::remove_const_t<typename Map::mapped_type::element_type>;
    key(io, name);
    object(io, *after.at(name), static_cast<const Def*>(nullptr));
  }
}

template <class Map>
void apply_map(ByteReader& in, Map& map) {
  Reader io(in);
  for (std::size_t n = in.count(); n > 0; --n) {
    typename Map::key_type name;
    key(io, name);
    map.erase(name);
  }
  for (std::size_t n = in.count(); n > 0; --n) {
    using Def = std::remove_const_t<typename Map::mapped_type::element_type>;
    typename Map::key_type name;
    key(io, name);
    auto def = std::make_shared<Def>();
    object(io, *def, static_cast<const Def*>(nullptr));
    map[name] = std::move(def);
  }
}

}  // namespace

void encode_catalog_change(const Catalog& before, const Catalog& after, ByteWriter& out) {
  out.varint(after.version);
  out.varint(after.next_object_id);
  out.varint(after.next_constraint_number);
  out.varint(after.next_user_id);
  encode_map(before.tables, after.tables, out);
  encode_map(before.sequences, after.sequences, out);
  encode_map(before.code, after.code, out);
  encode_map(before.users, after.users, out);
  encode_map(before.principals, after.principals, out);
  Writer io(out);
  supplemental(io, after.supplemental);
}

void apply_catalog_change(ByteReader& in, Catalog& catalog) {
  catalog.version = in.varint();
  catalog.next_object_id = static_cast<std::uint32_t>(in.varint());
  catalog.next_constraint_number = static_cast<std::uint32_t>(in.varint());
  catalog.next_user_id = static_cast<std::uint32_t>(in.varint());
  apply_map(in, catalog.tables);
  apply_map(in, catalog.sequences);
  apply_map(in, catalog.code);
  apply_map(in, catalog.users);
  apply_map(in, catalog.principals);
  Reader io(in);
  supplemental(io, catalog.supplemental);
}

}  // namespace orasim
