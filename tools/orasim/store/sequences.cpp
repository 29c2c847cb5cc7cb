#include "store/sequences.h"

#include <algorithm>

namespace orasim {
namespace {

Number sum(const Number& a, const Number& b) {
  const auto result = Number::add(a, b);
  if (!result) throw OraError(1426, "numeric overflow");
  return *result;
}

bool beyond(const SequenceDef& def, const Number& n) {
  return def.increment_by.is_negative() ? n < def.min_value : n > def.max_value;
}

[[noreturn]] void throw_exhausted(const SequenceDef& def) {
  throw OraError(8004, "sequence " + def.name + ".NEXTVAL " +
                           (def.increment_by.is_negative() ? "goes below MIN" : "exceeds MAX") +
                           "VALUE and cannot be instantiated");
}

}  // namespace

Sequences::State& Sequences::state_of(const SequenceDef& def) {
  const auto [at, fresh] = states_.try_emplace(def.object_id);
  State& state = at->second;
  if (fresh || state.restarts != def.restarts) {
    state = State{def.next_value, def.next_value, 0, def.restarts};
  }
  return state;
}

void Sequences::reserve(const SequenceDef& def, State& state) {
  const std::uint32_t run = std::max<std::uint32_t>(def.cache_size, 1);
  const auto span = Number::multiply(def.increment_by, Number::from_int(run));
  if (!span) throw OraError(1426, "numeric overflow");
  state.left = run;
  state.reserved_up_to = sum(state.next, *span);
  ByteWriter w;
  w.u8(static_cast<std::uint8_t>(RecordKind::kSequence));
  w.varint(def.object_id);
  w.varint(def.restarts);
  const auto bytes = state.reserved_up_to.bytes();
  w.text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  log_.append(w.out());
}

Number Sequences::next(const SequenceDef& def) {
  const std::lock_guard lock(mutex_);
  State& state = state_of(def);
  if (beyond(def, state.next)) {
    if (!def.cycle) throw_exhausted(def);
    state.next = def.increment_by.is_negative() ? def.max_value : def.min_value;
    state.left = 0;
  }
  if (state.left == 0) reserve(def, state);
  --state.left;
  const Number value = state.next;
  state.next = sum(value, def.increment_by);
  return value;
}

Number Sequences::last_number(const SequenceDef& def) const {
  const std::lock_guard lock(mutex_);
  const auto at = states_.find(def.object_id);
  if (at == states_.end() || at->second.restarts != def.restarts) return def.next_value;
  return at->second.reserved_up_to;
}

void Sequences::restore(ByteReader& record) {
  const auto object_id = static_cast<std::uint32_t>(record.varint());
  const auto restarts = static_cast<std::uint32_t>(record.varint());
  const std::string_view bytes = record.text();
  const auto number =
      Number::from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!number) throw CorruptBytes("a sequence record holds an invalid number");
  states_[object_id] = State{*number, *number, 0, restarts};
}

void Sequences::forget(std::uint32_t object_id) {
  const std::lock_guard lock(mutex_);
  states_.erase(object_id);
}

}  // namespace orasim
