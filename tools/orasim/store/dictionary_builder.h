// How views are put together: a list of items of one kind, and one getter a column.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/dictionary.h"

namespace orasim::dictionary {

/// Declared types of dictionary columns.
enum class Kind : std::uint8_t { kText, kLong, kClob, kNumber, kDate, kRaw };

Value text(std::string_view);
Value long_text(std::string_view);
Value number(std::int64_t);
Value number_or_null(bool present, std::int64_t);
Value date(std::int64_t unix_seconds);
Value yes_no(bool);  ///< YES / NO
Value y_n(bool);     ///< Y / N
Value null();

template <class Item>
struct Column {
  const char* name;
  Kind kind;
  std::function<Value(const Item&, const DictionaryContext&)> get;
};

/// Columns that say the same in every row.
template <class Item>
Column<Item> fixed(const char* name, const char* value) {
  return {name, Kind::kText,
          [v = text(value)](const Item&, const DictionaryContext&) { return v; }};
}
template <class Item>
Column<Item> fixed_number(const char* name, std::int64_t value) {
  return {name, Kind::kNumber,
          [v = number(value)](const Item&, const DictionaryContext&) { return v; }};
}
template <class Item>
Column<Item> empty(const char* name, Kind kind) {
  return {name, kind, [](const Item&, const DictionaryContext&) { return null(); }};
}
/// Columns made by a function of the item alone.
template <class Item, class Get>
Column<Item> text_of(const char* name, Get get) {
  return {name, Kind::kText,
          [get](const Item& i, const DictionaryContext&) { return text(get(i)); }};
}
template <class Item, class Get>
Column<Item> number_of(const char* name, Get get) {
  return {name, Kind::kNumber, [get](const Item& i, const DictionaryContext&) {
            return number(static_cast<std::int64_t>(get(i)));
          }};
}

struct ObjectName {
  std::string owner, name;
};

/// Calls `visit` for each item until it returns false.
template <class Item>
using Items =
    std::function<void(const DictionaryContext&, const std::function<bool(const Item&)>& visit)>;

class Registry {
 public:
  static Registry& instance();
  [[nodiscard]] const DictionaryView* find(std::string_view name) const;
  [[nodiscard]] const std::vector<const DictionaryView*>& list() const { return list_; }

  /// One view.
  template <class Item>
  void add(const std::string& name, Items<Item> items, std::vector<Column<Item>> columns) {
    put(name, std::move(items), std::move(columns));
  }
  /// DBA_name and ALL_name with all columns; USER_name without the columns in `not_in_user` and
  /// only with items whose owner is the session's user. `about`: the object an item tells of;
  /// ALL_name shows it to users with a right on that.
  template <class Item>
  void add_family(const std::string& name, const Items<Item>& items,
                  const std::vector<Column<Item>>& columns,
                  const std::function<std::string(const Item&)>& owner,
                  const std::set<std::string>& not_in_user,
                  const std::function<ObjectName(const Item&)>& about) {
    const Items<Item> accessible = [items, owner, about](
                                       const DictionaryContext& context,
                                       const std::function<bool(const Item&)>& visit) {
      const Access access(context.catalog, context.user);
      items(context, [&](const Item& item) {
        if (owner(item) == context.user) return visit(item);
        const ObjectName object = about(item);
        return !access.sees(object.owner, object.name) || visit(item);
      });
    };
    put("ALL_" + name, accessible, columns);
    put("DBA_" + name, items, columns);
    std::vector<Column<Item>> own;
    for (const auto& column : columns) {
      if (!not_in_user.contains(column.name)) own.push_back(column);
    }
    const Items<Item> own_items = [items, owner](const DictionaryContext& context,
                                                 const std::function<bool(const Item&)>& visit) {
      items(context, [&](const Item& item) { return owner(item) != context.user || visit(item); });
    };
    put("USER_" + name, own_items, own);
  }
  void alias(const std::string& name, const std::string& of) { aliases_[name] = of; }

 private:
  Registry();
  static Type type_of(Kind kind) { return define("", kind).type.type; }
  static ColumnDef define(const char* name, Kind kind);
  template <class Item>
  void put(const std::string& name, Items<Item> items, std::vector<Column<Item>> columns) {
    DictionaryView& view = views_[name];
    view.name = name;
    for (const auto& column : columns) view.columns.push_back(define(column.name, column.kind));
    view.produce = [items = std::move(items), columns = std::move(columns)](
                       const DictionaryContext& context, const RowSink& sink) {
      Row row(columns.size());
      items(context, [&](const Item& item) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
          row[i] = columns[i].get(item, context);
          row[i].type = type_of(columns[i].kind);
        }
        return sink(row);
      });
    };
    list_.push_back(&view);
  }
  std::map<std::string, DictionaryView, std::less<>> views_;
  std::map<std::string, std::string, std::less<>> aliases_;
  std::vector<const DictionaryView*> list_;
};

// The groups of views, each in its own file.
void add_table_views(Registry&);
void add_column_views(Registry&);
void add_constraint_views(Registry&);
void add_index_views(Registry&);
void add_code_views(Registry&);
void add_object_views(Registry&);
void add_storage_views(Registry&);
void add_user_views(Registry&);
void add_privilege_views(Registry&);
void add_nls_views(Registry&);
void add_instance_views(Registry&);
void add_session_views(Registry&);
void add_user_type_views(Registry&);
void add_redo_views(Registry&);
void add_empty_views(Registry&);

/// DATA_TYPE as the dictionary prints it, and the numbers beside it.
std::string data_type_text(const DataType&);
std::int64_t data_length(const DataType&);

}  // namespace orasim::dictionary
