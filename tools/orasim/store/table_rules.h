// What a change of a row has to be checked against, resolved to segments and indexes, and the
// search for a key as a writer sees it ("current mode": newest rows, whoever wrote them).
//
// Threads: everything here is used under the store's write lock. A TableRules is valid until the
// catalog changes or the lock is given up while DDL may run; it is fetched again after each wait.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/segment.h"

namespace orasim {

using SegmentPtr = std::shared_ptr<Segment>;

struct UniqueRule {
  std::string name;       ///< of the constraint, or of the unique index without one
  bool deferred = false;  ///< INITIALLY DEFERRED: checked at commit
  KeyIndex* index = nullptr;
  KeyExtractor key;  ///< in the order of the index
};

/// A foreign key of this table.
struct ParentRule {
  std::string name;
  bool deferred = false;
  bool self = false;  ///< refers to its own table
  SegmentPtr parent;
  KeyIndex* index = nullptr;  ///< of the parent
  KeyExtractor key;           ///< of a child image, in the order of the parent's index
};

enum class DeleteRule : std::uint8_t { kNoAction, kCascade, kSetNull };

/// A foreign key of a table that refers to this one.
struct ChildRule {
  std::string name;  ///< OWNER.NAME: tables of several owners may refer to this one
  bool deferred = false;
  bool self = false;
  DeleteRule on_delete = DeleteRule::kNoAction;
  SegmentPtr child;
  std::vector<std::string> child_columns;
  KeyIndex* index = nullptr;  ///< of the child; null until first needed
  std::vector<std::string> parent_columns;
  KeyExtractor parent_key;          ///< of a parent image, as the columns are listed
  std::optional<KeyExtractor> key;  ///< of a parent image, in the index's order
  /// Makes `index` and `key`.
  void prepare();
};

struct TableRules {
  SegmentPtr segment;
  std::vector<UniqueRule> unique;
  std::vector<ParentRule> parents;
  std::vector<ChildRule> children;
};

struct KeySearch {
  bool found = false;                  ///< a row that is there whatever others do
  TransactionImpl* blocker = nullptr;  ///< not found yet: depends on how this one ends
};

/// Rows of `segment` whose key in its `index` starts with `key`, as `own` finds them; `except` is
/// left out. With `rows`, the ordinals of those that are there are added.
KeySearch find_key(const Segment&, KeyIndex&, std::string_view key, const TxRecord* own,
                   std::optional<std::uint64_t> except, std::vector<std::uint64_t>* rows = nullptr);

/// The open transaction other than `own` that holds the row's lock, or null.
TransactionImpl* lock_holder(const RowSlot&, const TxRecord* own);

}  // namespace orasim
