// What the type OIDs and modifiers of the log mean: the log names types by number only.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connect/postgres/connection.h"
#include "connect/postgres/native_type.h"

namespace wherry::postgres {

/// OID and modifier, as pg_attribute has them.
using TypeKey = std::pair<std::uint32_t, std::int32_t>;

struct LogType {
  NativeType type;  ///< looked through domains
  std::string type_name;
  std::uint32_t base_oid = 0;
  /// Its binary form says the same on every server: it holds no OID that another server gave to
  /// something else (arrays of enums, composites, regclass), and there is one.
  bool is_portable = false;
};

/// Types, as asked for so far.
class LogTypes {
 public:
  /// Reads from the catalogue what is not known yet. A type that is gone is text.
  Result<void> learn(OpContext& context, Connection& connection, std::span<const TypeKey> types);
  /// REQUIRES: learned.
  [[nodiscard]] const LogType& at(const TypeKey& type) const { return known_.at(type); }
  [[nodiscard]] bool knows(const TypeKey& type) const { return known_.contains(type); }
  void forget() { known_.clear(); }

 private:
  std::map<TypeKey, LogType> known_;
};

}  // namespace wherry::postgres
