#include "store/ddl_support.h"

namespace orasim::ddl {
namespace {

Number decimal(const char* text) {
  return *Number::parse(text);
}

Number difference(const Number& a, const Number& b) {
  const auto result = Number::subtract(a, b);
  if (!result) throw OraError(1426, "numeric overflow");
  return *result;
}

void check(const SequenceDef& s) {
  const Number& step = s.increment_by;
  if (step.is_zero() || !(step.truncated(0) == step)) {
    throw OraError(4002, "INCREMENT must be a non-zero integer");
  }
  if (s.min_value >= s.max_value) throw OraError(4004, "MINVALUE must be less than MAXVALUE");
  const Number size = step.is_negative() ? step.negated() : step;
  if (size > difference(s.max_value, s.min_value)) {
    throw OraError(4005, "INCREMENT must be less than MAXVALUE minus MINVALUE");
  }
  if (s.cache_size == 1) {
    throw OraError(4010, "the number of values to CACHE must be greater than 1");
  }
  if (s.next_value < s.min_value) throw OraError(4006, "START WITH cannot be less than MINVALUE");
  if (s.next_value > s.max_value) throw OraError(4008, "START WITH cannot be more than MAXVALUE");
}

void apply_limits(SequenceDef& s, const SequenceOptions& o, bool create) {
  if (o.increment_by) s.increment_by = *o.increment_by;
  const bool down = s.increment_by.is_negative();
  if (o.min_value) {
    s.min_value = *o.min_value;
  } else if (create || o.no_min_value) {
    s.min_value = down ? decimal("-999999999999999999999999999") : Number::from_int(1);
  }
  if (o.max_value) {
    s.max_value = *o.max_value;
  } else if (create || o.no_max_value) {
    s.max_value = down ? Number::from_int(-1) : decimal("9999999999999999999999999999");
  }
  if (o.cycle) s.cycle = *o.cycle;
  if (o.order) s.order = *o.order;
  if (o.cache_size) s.cache_size = *o.cache_size;
}

}  // namespace

SequenceDef make_sequence(Catalog& c, const std::string& owner, const std::string& name,
                          const SequenceOptions& o) {
  SequenceDef s;
  s.owner = owner;
  s.name = name;
  s.increment_by = Number::from_int(1);
  apply_limits(s, o, true);
  s.start_with = o.start_with.value_or(s.increment_by.is_negative() ? s.max_value : s.min_value);
  s.next_value = s.start_with;
  check(s);
  s.object_id = take_object_id(c);
  s.created_unix = s.last_ddl_unix = c.edit_unix_seconds;
  return s;
}

void create_sequence(Catalog& c, const std::string& owner, const std::string& name,
                     const SequenceOptions& options) {
  check_object_name_free(c, owner, name);
  c.sequences[{owner, name}] =
      std::make_shared<SequenceDef>(make_sequence(c, owner, name, options));
}

void alter_sequence(Catalog& c, const std::string& owner, const std::string& name,
                    const SequenceOptions& o) {
  const auto at = c.sequences.find({owner, name});
  if (at == c.sequences.end()) throw OraError(2289, "sequence does not exist");
  if (o.start_with && !o.restart) throw OraError(2283, "cannot alter starting sequence number");
  auto s = std::make_shared<SequenceDef>(*at->second);
  apply_limits(*s, o, false);
  if (o.restart) {
    s->next_value =
        o.start_with.value_or(s->increment_by.is_negative() ? s->max_value : s->min_value);
    ++s->restarts;
  }
  check(*s);
  s->last_ddl_unix = c.edit_unix_seconds;
  at->second = std::move(s);
}

void drop_sequence(Catalog& c, const std::string& owner, const std::string& name) {
  if (c.find_sequence(owner, name) == nullptr) throw OraError(2289, "sequence does not exist");
  if (name.starts_with("ISEQ$$_")) {
    throw OraError(32794, "cannot drop a system-generated sequence");
  }
  c.sequences.erase({owner, name});
  privileges::forget_object(c, owner, name);
}

}  // namespace orasim::ddl
