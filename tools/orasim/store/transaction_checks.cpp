// Unique keys and foreign keys. A check returns the transaction that its outcome depends on, or
// null when the change may stand; a violation throws.
#include <algorithm>

#include "store/transaction.h"

namespace orasim {
namespace {

[[noreturn]] void throw_duplicate(const TableDef& table, const std::string& rule) {
  throw OraError(1, "unique constraint (" + table.owner + "." + rule + ") violated");
}

[[noreturn]] void throw_no_parent(const TableDef& table, const std::string& rule) {
  throw OraError(2291, "integrity constraint (" + table.owner + "." + rule +
                           ") violated - parent key not found");
}

[[noreturn]] void throw_child_found(const std::string& rule) {
  throw OraError(2292, "integrity constraint (" + rule + ") violated - child record found");
}

bool same_key(KeyExtractor& extractor, std::string_view key, const Version* old_row) {
  std::string old_key;
  return old_row != nullptr && extractor.key_of(old_row->image(), old_key) && old_key == key;
}

template <class Rule>
Rule* find_rule(std::vector<Rule>& rules, const std::string& name) {
  const auto at =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.name == name; });
  return at == rules.end() ? nullptr : &*at;
}

}  // namespace

TransactionImpl* TransactionImpl::check_keys(TableRules& rules, std::string_view image,
                                             const Version* old_row,
                                             std::optional<std::uint64_t> ordinal,
                                             std::vector<PendingCheck>& pending) {
  if (auto* blocker = check_unique(rules, image, old_row, ordinal, pending)) return blocker;
  return check_parents(rules, image, old_row, pending);
}

TransactionImpl* TransactionImpl::check_unique(TableRules& rules, std::string_view image,
                                               const Version* old_row,
                                               std::optional<std::uint64_t> ordinal,
                                               std::vector<PendingCheck>& pending) {
  std::string key;
  for (UniqueRule& rule : rules.unique) {
    if (!rule.key.key_of(image, key) || same_key(rule.key, key, old_row)) continue;
    const KeySearch search = find_key(*rules.segment, *rule.index, key, record_, ordinal);
    if (search.found) {
      // An UPDATE may hand a key on from row to row; what counts is the end of the statement.
      if (old_row == nullptr && !rule.deferred) {
        throw_duplicate(rules.segment->table(), rule.name);
      }
      pending.push_back(
          {PendingCheck::Kind::kUnique, rule.deferred, rules.segment, rule.name, 0, nullptr, 0});
    } else if (search.blocker != nullptr) {
      return search.blocker;
    }
  }
  return nullptr;
}

TransactionImpl* TransactionImpl::check_parents(TableRules& rules, std::string_view image,
                                                const Version* old_row,
                                                std::vector<PendingCheck>& pending) {
  std::string key;
  for (ParentRule& rule : rules.parents) {
    if (!rule.key.key_of(image, key) || rule.key.last_key_has_null() ||
        same_key(rule.key, key, old_row)) {
      continue;
    }
    const KeySearch search = find_key(*rule.parent, *rule.index, key, record_, std::nullopt);
    if (search.found) continue;
    if (rule.self || rule.deferred) {
      pending.push_back(
          {PendingCheck::Kind::kParent, rule.deferred, rules.segment, rule.name, 0, nullptr, 0});
    } else if (search.blocker != nullptr) {
      return search.blocker;
    } else {
      throw_no_parent(rules.segment->table(), rule.name);
    }
  }
  return nullptr;
}

void TransactionImpl::note_changed_parent(TableRules& rules, std::string_view image,
                                          const Version* old_row,
                                          std::vector<PendingCheck>& pending) {
  std::string old_key, key;
  for (ChildRule& rule : rules.children) {
    if (!rule.parent_key.key_of(old_row->image(), old_key) || rule.parent_key.last_key_has_null()) {
      continue;
    }
    rule.parent_key.key_of(image, key);
    if (key == old_key) continue;
    pending.push_back(
        {PendingCheck::Kind::kChildren, rule.deferred, rules.segment, rule.name, 0, old_row, 0});
  }
}

void TransactionImpl::adopt(std::vector<PendingCheck>&& pending, std::uint64_t ordinal) {
  for (PendingCheck& check : pending) {
    check.ordinal = ordinal;
    check.at_change = changes_.size() - 1;
    pending_.push_back(std::move(check));
  }
}

void TransactionImpl::check_deferred() {
  Lock lock(store_.write_lock());
  if (record_ != nullptr) run_pending(lock, true);
}

void TransactionImpl::end_statement() {
  if (pending_.empty()) return;
  Lock lock(store_.write_lock());
  run_pending(lock, false);
}

void TransactionImpl::run_pending(Lock& lock, bool deferred_too) {
  for (const PendingCheck& check : pending_) {
    if (check.deferred && !deferred_too) continue;
    while (auto* blocker = recheck(check)) store_.wait_for(lock, *this, *blocker);
  }
  std::erase_if(pending_, [&](const PendingCheck& c) { return deferred_too || !c.deferred; });
}

TransactionImpl* TransactionImpl::recheck(const PendingCheck& check) {
  TableRules& rules = store_.rules_for_segment(check.segment);
  if (check.kind == PendingCheck::Kind::kChildren) return recheck_children(check, rules);
  return recheck_row(check, rules);
}

TransactionImpl* TransactionImpl::recheck_row(const PendingCheck& check, TableRules& rules) {
  const Version* row = newest_data(check.segment->slot(check.ordinal));
  if (row == nullptr || row->kind() != VersionKind::kRow) return nullptr;
  std::string key;
  if (check.kind == PendingCheck::Kind::kUnique) {
    UniqueRule* rule = find_rule(rules.unique, check.rule);
    if (rule == nullptr || !rule->key.key_of(row->image(), key)) return nullptr;
    const KeySearch search = find_key(*rules.segment, *rule->index, key, record_, check.ordinal);
    if (search.found) throw_duplicate(rules.segment->table(), rule->name);
    return search.blocker;
  }
  ParentRule* rule = find_rule(rules.parents, check.rule);
  if (rule == nullptr || !rule->key.key_of(row->image(), key) || rule->key.last_key_has_null()) {
    return nullptr;
  }
  const KeySearch search = find_key(*rule->parent, *rule->index, key, record_, std::nullopt);
  if (search.found) return nullptr;
  if (search.blocker == nullptr) throw_no_parent(rules.segment->table(), rule->name);
  return search.blocker;
}

TransactionImpl* TransactionImpl::recheck_children(const PendingCheck& check, TableRules& rules) {
  ChildRule* rule = find_rule(rules.children, check.rule);
  if (rule == nullptr) return nullptr;
  const Segment::Match match = rules.segment->index_for(rule->parent_columns);
  std::vector<KeyExtractor::Part> parts;
  for (const std::size_t i : match.order) parts.push_back(rule->parent_key.parts()[i]);
  std::string key;
  KeyExtractor(std::move(parts)).key_of(check.old_row->image(), key);
  // Another row may have taken the key over.
  if (find_key(*rules.segment, *match.index, key, record_, std::nullopt).found) return nullptr;
  rule->prepare();
  rule->key->key_of(check.old_row->image(), key);
  const KeySearch search = find_key(*rule->child, *rule->index, key, record_, std::nullopt);
  if (search.found) throw_child_found(rule->name);
  return search.blocker;
}

}  // namespace orasim
