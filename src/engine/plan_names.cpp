#include "engine/plan_names.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace wherry::engine {
namespace {

using Kind = LongName::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kSchema:
      return "schema";
    case Kind::kTable:
      return "table";
    case Kind::kColumn:
      return "column";
    case Kind::kKey:
      return "key";
  }
  return {};
}

/// What stands in one place of the target under names that are cut to one: by their whole names,
/// as people know them.
using Members = std::map<std::string, std::string>;

/// Everything of a plan that has a name, by the place where names differ and by what they are cut
/// to.
class NameBook {
 public:
  explicit NameBook(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void add(const schema::TablePlan& plan) {
    put({}, plan.target.schema, plan.source.schema);
    put(plan.target.schema, plan.target.name, schema::to_text(plan.source));
    if (!plan.key.empty() && !plan.key_name.empty()) {
      put(plan.target.schema, plan.key_name, "the key of " + schema::to_text(plan.source));
    }
  }

  /// The others that would have the name, "A, B"; empty: there are none.
  [[nodiscard]] std::string others(const std::string& place, const std::string& name) const {
    const auto found = names_.find({place, cut_name(name, max_bytes_)});
    if (found == names_.end()) return {};
    std::string out;
    for (const auto& [other, shown] : found->second) {
      if (other != name) out += (out.empty() ? "" : ", ") + shown;
    }
    return out;
  }

  void put(const std::string& place, const std::string& name, const std::string& shown) {
    names_[{place, cut_name(name, max_bytes_)}].emplace(name, shown);
  }

 private:
  const std::size_t max_bytes_;
  std::map<std::pair<std::string, std::string>, Members> names_;
};

NameBook columns_of(const schema::TablePlan& plan, std::size_t max_bytes) {
  NameBook out(max_bytes);
  for (const schema::ColumnPlan& column : plan.columns) {
    const bool is_source = column.origin == schema::ColumnOrigin::kSource;
    out.put({}, column.target_name, is_source ? column.source_name : column.target_name);
  }
  return out;
}

std::string others_of(const LongName& name, const schema::TablePlan& plan, const NameBook& book,
                      const NameBook& columns) {
  switch (name.kind) {
    case Kind::kSchema:
      return book.others({}, name.name);
    case Kind::kColumn:
      return columns.others({}, name.name);
    case Kind::kTable:
    case Kind::kKey:
      break;
  }
  return book.others(plan.target.schema, name.name);
}

/// "table X has 70 bytes and would be cut to Y, as A, B would".
std::string text_of(const LongName& name, const std::string& others, std::size_t max_bytes) {
  std::string out(name_of(name.kind));
  out += " " + name.name;
  if (name.source != name.name && name.kind != Kind::kTable) out += " (of " + name.source + ")";
  out += " has " + std::to_string(name.name.size()) + " bytes and would be cut to " +
         cut_name(name.name, max_bytes);
  if (!others.empty()) out += ", which would also be the name of " + others;
  return out;
}

Error error_of(const MisnamedTable& table, const NameBook& book, std::size_t max_bytes) {
  const NameBook columns = columns_of(table.plan, max_bytes);
  std::string text;
  bool collides = false;
  for (const LongName& name : table.names) {
    const std::string others = others_of(name, table.plan, book, columns);
    collides = collides || !others.empty();
    text += (text.empty() ? "" : "; ") + text_of(name, others, max_bytes);
  }
  const std::string most = std::to_string(max_bytes);
  return make_error(ErrorKind::kSchema, collides ? "plan.cut_names_collide" : "plan.bad_name",
                    "names on the target have " + most + " bytes at most: " + text,
                    collides ? "Rename them with transformation rules in the table mappings: each "
                               "needs a name of its own, of " +
                                   most + " bytes at most"
                             : "Rename it with a transformation rule in the table mappings")
      .with("table", schema::to_text(table.plan.source));
}

Error key_name_taken(const schema::TablePlan& plan, const std::string& by) {
  return make_error(ErrorKind::kSchema, "plan.key_name_taken",
                    "the key's name " + plan.key_name + " would also be that of " + by +
                        ": in one schema of the target keys and tables differ by their names",
                    "Change the name in the define-primary-key rule, or leave it out")
      .with("table", schema::to_text(plan.source));
}

/// Which names are taken in a schema, and by what.
using Taken = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

std::string joined(const std::vector<std::string>& names, const std::string& but) {
  std::string out;
  for (const std::string& name : names) {
    if (name != but) out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

/// Of one table of the target, whatever comes into it.
std::string owner_of(const schema::TablePlan& plan) {
  return "the key of " + schema::to_text(plan.target);
}

void give_key_name(schema::TablePlanPtr& plan, std::string name, const std::string& by) {
  auto changed = std::make_shared<schema::TablePlan>(*plan);
  changed->warnings.push_back({"plan.key_renamed", schema::WarningRank::kNote,
                               "the key is named " + name + " on the target, because " +
                                   plan->key_name + " is the name of " + by});
  changed->key_name = std::move(name);
  plan = std::move(changed);
}

/// The names of all tables and keys, to find those that may be alike: nearly all are not, and need
/// no memory but this.
class NameHashes {
 public:
  explicit NameHashes(const std::vector<NamedKey>& plans) {
    for (const NamedKey& each : plans) {
      const schema::TablePlan& plan = **each.plan;
      hashes_.push_back(hash_of(plan.target.schema, plan.target.name));
      if (has_key_name(plan)) hashes_.push_back(hash_of(plan.target.schema, plan.key_name));
    }
    std::sort(hashes_.begin(), hashes_.end());
  }
  /// True also where another name has the same hash.
  [[nodiscard]] bool has(const std::string& schema, const std::string& name) const {
    return std::binary_search(hashes_.begin(), hashes_.end(), hash_of(schema, name));
  }
  /// Those of which a name is perhaps another's too.
  [[nodiscard]] std::vector<NamedKey> alike(const std::vector<NamedKey>& plans) const {
    std::vector<NamedKey> out;
    for (const NamedKey& each : plans) {
      const schema::TablePlan& plan = **each.plan;
      if (is_twice(plan.target.schema, plan.target.name) ||
          (has_key_name(plan) && is_twice(plan.target.schema, plan.key_name))) {
        out.push_back(each);
      }
    }
    return out;
  }

 private:
  static bool has_key_name(const schema::TablePlan& plan) {
    return !plan.key.empty() && !plan.key_name.empty();
  }
  static std::size_t hash_of(const std::string& schema, const std::string& name) {
    constexpr std::size_t kOdd = 0x9E3779B97F4A7C15;
    return std::hash<std::string>()(schema) * kOdd + std::hash<std::string>()(name);
  }
  [[nodiscard]] bool is_twice(const std::string& schema, const std::string& name) const {
    const auto [first, last] =
        std::equal_range(hashes_.begin(), hashes_.end(), hash_of(schema, name));
    return last - first > 1;
  }
  std::vector<std::size_t> hashes_;
};

}  // namespace

std::string cut_name(std::string_view name, std::size_t max_bytes) {
  if (name.size() <= max_bytes) return std::string(name);
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end));
}

std::string key_name_for(std::string_view table, bool is_primary, int number,
                         std::size_t max_bytes) {
  std::string suffix = is_primary ? "_pkey" : "_key";
  if (number > 0) suffix += std::to_string(number);
  return cut_name(table, max_bytes - suffix.size()) + suffix;
}

std::vector<RefusedTable> refuse_misnamed(const std::vector<MisnamedTable>& misnamed,
                                          const std::vector<schema::TablePlanPtr>& fitting,
                                          std::size_t max_bytes) {
  std::vector<RefusedTable> out;
  if (misnamed.empty()) return out;
  NameBook book(max_bytes);
  for (const schema::TablePlanPtr& plan : fitting) book.add(*plan);
  for (const MisnamedTable& table : misnamed) book.add(table.plan);
  for (const MisnamedTable& table : misnamed) {
    out.push_back({table.plan.source, error_of(table, book, max_bytes)});
  }
  return out;
}

std::vector<RefusedTable> settle_key_names(const std::vector<NamedKey>& all,
                                           std::size_t max_bytes) {
  const NameHashes hashes(all);
  const std::vector<NamedKey> plans = hashes.alike(all);
  Taken taken;
  const auto take = [&](const std::string& schema, const std::string& name, std::string by) {
    auto& owners = taken[{schema, name}];
    if (std::find(owners.begin(), owners.end(), by) == owners.end()) {
      owners.push_back(std::move(by));
    }
  };
  for (const NamedKey& each : plans) {
    const schema::TablePlan& plan = **each.plan;
    take(plan.target.schema, plan.target.name, "table " + schema::to_text(plan.target));
    if (each.is_named_by_rule) take(plan.target.schema, plan.key_name, owner_of(plan));
  }
  std::vector<RefusedTable> refused;
  std::map<schema::TableRef, std::string> given;  // of tables that several come into
  for (const NamedKey& each : plans) {
    const schema::TablePlan& plan = **each.plan;
    if (plan.key.empty() || plan.key_name.empty()) continue;
    const std::string own = owner_of(plan);
    const std::string by = joined(taken[{plan.target.schema, plan.key_name}], own);
    if (each.is_named_by_rule) {
      if (!by.empty()) refused.push_back({plan.source, key_name_taken(plan, by)});
      continue;
    }
    std::string name = plan.key_name;
    if (const auto before = given.find(plan.target); before != given.end()) {
      name = before->second;
    } else {
      const auto is_free = [&](int number) {
        const bool is_elsewhere = number > 1 && hashes.has(plan.target.schema, name);
        return !is_elsewhere && joined(taken[{plan.target.schema, name}], own).empty();
      };
      for (int number = 1; !is_free(number); ++number) {
        name = key_name_for(plan.target.name, plan.key_is_primary, number, max_bytes);
      }
      given[plan.target] = name;
    }
    take(plan.target.schema, name, own);
    if (name != plan.key_name) give_key_name(*each.plan, std::move(name), by);
  }
  return refused;
}

}  // namespace wherry::engine
