// Binding the FROM clause.
#include <algorithm>
#include <random>

#include "exec/from_plan.h"
#include "exec/logminer_view.h"
#include "exec/parser.h"
#include "exec/partitions.h"
#include "exec/recursive_with.h"

namespace orasim {

using ast::ExprKind;
using ast::JoinKind;

namespace {

void split(const ast::Expr* e, std::vector<const ast::Expr*>& out) {
  if (e == nullptr) return;
  if (e->kind == ExprKind::kAnd) {
    split(e->args[0].get(), out);
    split(e->args[1].get(), out);
    return;
  }
  out.push_back(e);
}

/// The name marked (+) in an expression, if any.
const ast::Expr* outer_mark(const ast::Expr& e) {
  if (e.kind == ExprKind::kName && e.outer) return &e;
  for (const auto& arg : e.args) {
    if (arg == nullptr) continue;
    if (const ast::Expr* found = outer_mark(*arg)) return found;
  }
  return nullptr;
}

bool within(const std::set<int>& part, const std::set<int>& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

class FromBinder {
 public:
  FromBinder(const ast::QueryBlock& block, const BindEnvironment& environment,
             const std::vector<const ast::Cte*>& ctes, Scope& scope)
      : block_(block), env_(environment), ctes_(ctes), scope_(scope) {}

  std::unique_ptr<FromNode> bind(bool attach_where, std::vector<Conjunct>& rest) {
    std::vector<std::unique_ptr<FromNode>> items;
    for (const auto& ref : block_.from) items.push_back(declare(*ref));
    for (auto& [node, ref] : leaves_) make_source(*node, *ref);
    for (auto& [node, ref] : joins_) bind_on(*node, *ref);
    std::vector<Conjunct> conjuncts =
        attach_where ? bind_conjuncts(block_.where.get(), env_, scope_) : std::vector<Conjunct>();
    return chain(std::move(items), std::move(conjuncts), rest);
  }

 private:
  /// Registers the columns of a reference and makes its node.
  std::unique_ptr<FromNode> declare(const ast::TableRef& ref) {
    auto node = std::make_unique<FromNode>();
    if (ref.kind == ast::TableRef::Kind::kJoin) {
      node->kind = ref.join == JoinKind::kCross ? JoinKind::kInner : ref.join;
      node->begin = scope_.columns.size();
      node->left = declare(*ref.left);
      node->right = declare(*ref.right);
      node->end = scope_.columns.size();
      node->tables = node->left->tables;
      node->tables.insert(node->right->tables.begin(), node->right->tables.end());
      joins_.emplace_back(node.get(), &ref);
      return node;
    }
    node->table_index = next_table_++;
    node->tables = {node->table_index};
    node->begin = scope_.columns.size();
    if (ref.kind == ast::TableRef::Kind::kQuery) {
      node->is_lateral = ref.lateral;
      const Scope* around = ref.lateral ? &scope_ : scope_.outer;
      declare_query(*node, bind_query(*ref.query, env_, around), ref.alias.text);
    } else {
      declare_table(*node, ref);
    }
    node->end = scope_.columns.size();
    leaves_.emplace_back(node.get(), &ref);
    return node;
  }

  void add_column(ScopeColumn c, FromNode& node) {
    c.table = node.table_index;
    node.types.push_back(c.type.type);
    scope_.columns.push_back(std::move(c));
  }

  void declare_query(FromNode& node, std::shared_ptr<BoundQuery> query, const std::string& alias,
                     const std::vector<std::string>& names = {}) {
    if (query->is_correlated() && !node.is_lateral) scope_.reaches_outer = true;
    add_columns(node, query->columns(), alias, names);
    node.source = query_source(std::move(query));
  }

  void add_columns(FromNode& node, const std::vector<ColumnInfo>& columns, const std::string& alias,
                   const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      ScopeColumn c;
      c.qualifier = alias;
      c.name = i < names.size() ? names[i] : columns[i].name;
      c.type = columns[i].type;
      c.nullable = columns[i].nullable;
      add_column(std::move(c), node);
    }
  }

  void declare_table(FromNode& node, const ast::TableRef& ref) {
    const std::string& name = ref.name.back().text;
    const std::string alias = ref.alias.text;
    const std::string shown = alias.empty() ? name : alias;
    if (ref.name.size() == 1) {
      if (declare_cte(node, name, shown)) return;
      if (name == "DUAL") return declare_dual(node, shown);
    }
    if (ref.name.size() == 2 && ref.name[0].text == "SYS" && name == "DUAL")
      return declare_dual(node, shown);
    if (auto table = resolve_table(env_, ref.name)) {
      need_read(table->owner, table->name, ObjectKind::kTable, ref);
      node.table = table;
      for (ScopeColumn& c : table_scope(*table, alias).columns) add_column(std::move(c), node);
      return;
    }
    if (declare_view(node, ref, shown)) return;
    const bool is_sys = ref.name.size() == 1 || ref.name[ref.name.size() - 2].text == "SYS" ||
                        ref.name[ref.name.size() - 2].text == "PUBLIC";
    if (is_sys && declare_session_view(node, name, shown)) return;
    const DictionaryView* view = is_sys ? find_dictionary_view(name) : nullptr;
    if (view == nullptr || !may_read_view(*view, *env_.access)) raise(942, ref.pos);
    add_view_columns(node, view->columns, shown);
    node.dictionary = view;
  }

  void add_view_columns(FromNode& node, const std::vector<ColumnDef>& columns,
                        const std::string& shown) {
    for (const ColumnDef& column : columns) {
      ScopeColumn c;
      c.qualifier = shown;
      c.schema = "SYS";
      c.name = column.name;
      c.type = column.type;
      c.nullable = column.nullable;
      add_column(std::move(c), node);
    }
  }

  /// A view of what the session itself has started; the dictionary's rights go for it.
  bool declare_session_view(FromNode& node, const std::string& name, const std::string& shown) {
    const logminer::SessionView* view = logminer::find_session_view(name);
    if (view == nullptr) return false;
    DictionaryView like;
    like.name = view->name;
    if (!may_read_view(like, *env_.access) && !env_.access->has_system("LOGMINING")) return false;
    add_view_columns(node, view->columns, shown);
    node.source = logminer::session_view_source(view);
    return true;
  }

  /// Reading at an earlier moment is a right of its own; to lock rows READ is not enough.
  void need_read(const std::string& owner, const std::string& name, ObjectKind kind,
                 const ast::TableRef& ref) const {
    require(*env_.access, kind, owner, name, env_.locks_rows ? "SELECT" : "READ", ref.pos);
    if (ref.as_of) require(*env_.access, kind, owner, name, "FLASHBACK", ref.pos);
  }

  bool declare_cte(FromNode& node, const std::string& name, const std::string& shown) {
    for (const auto& [working, table] : env_.recursive) {
      if (working != name) continue;
      add_columns(node, table->columns, shown, {});
      node.source = working_source(table);
      return true;
    }
    for (auto it = ctes_.rbegin(); it != ctes_.rend(); ++it) {
      if ((*it)->name.text != name) continue;
      // A WITH query sees those before it.
      BindEnvironment inner = env_;
      inner.ctes.assign(ctes_.begin(), it.base() - 1);
      std::vector<std::string> names;
      for (const ast::Ident& column : (*it)->columns) names.push_back(column.text);
      if (is_recursive(**it)) {
        RecursiveWith recursive = bind_recursive(**it, inner, scope_.outer);
        if (recursive.is_correlated) scope_.reaches_outer = true;
        add_columns(node, recursive.columns, shown, {});
        node.source = std::move(recursive.source);
      } else {
        declare_query(node, bind_query(*(*it)->query, inner, scope_.outer), shown, names);
      }
      return true;
    }
    return false;
  }

  void declare_dual(FromNode& node, const std::string& alias) {
    ScopeColumn c;
    c.qualifier = alias;
    c.name = "DUMMY";
    c.type = text_type(Type::kVarchar2, 1, false, false);
    add_column(std::move(c), node);
    node.source = dual_source();
  }

  bool declare_view(FromNode& node, const ast::TableRef& ref, const std::string& shown) {
    const auto view = resolve_code(env_, ref.name, {"VIEW", "MATERIALIZED VIEW"});
    if (!view) return false;
    need_read(view->owner, view->name, ObjectKind::kView, ref);
    BindEnvironment inner = env_;
    if (ref.as_of) {
      inner.as_of = as_of(ref);
      inner.as_of_is_time = ref.as_of_timestamp;
    }
    inner.current_schema = view->owner;
    inner.sql = view->text;
    inner.variables = nullptr;
    inner.ctes.clear();
    inner.access = access_in(*view, env_.catalog, env_.access);
    declare_query(node, bind_view(*view, inner, ref.pos), shown, view->view_columns);
    return true;
  }

  /// What a view's query has become wrong by since it was made.
  static std::shared_ptr<BoundQuery> bind_view(const CodeDef& view, const BindEnvironment& inner,
                                               int pos) {
    try {
      Parser parser(view.text);
      const ast::QueryPtr query = parser.query();
      return bind_query(*query, inner, nullptr);
    } catch (const OraError&) {
      raise_text(4063, "view \"" + view.owner + "." + view.name + "\" has errors", pos);
    }
  }

  Eval as_of(const ast::TableRef& ref) const {
    Scope empty;
    empty.outer = scope_.outer;
    return Binder(env_, empty).condition(*ref.as_of);
  }

  void make_source(FromNode& node, const ast::TableRef& ref) {
    if (node.dictionary != nullptr) {
      node.source =
          dictionary_source(node.dictionary, block_.where.get(), env_, scope_, node.table_index);
    }
    if (!node.table) return;
    node.source = table_source(node.table, block_.where.get(), env_, scope_, node.table_index,
                               ref.as_of ? as_of(ref) : env_.as_of,
                               ref.as_of ? ref.as_of_timestamp : env_.as_of_is_time);
    if (!ref.partition.empty()) add_partition_filter(node, ref);
    if (ref.sample) add_sample_filter(node, *ref.sample);
  }

  /// Which rows or blocks there are is decided by a hash of their address, so that a SEED gives the
  /// same ones again.
  void add_sample_filter(FromNode& node, const ast::Sample& sample) {
    std::size_t slot = 0;
    while (slot < scope_.columns.size() && (scope_.columns[slot].rowid_of == nullptr ||
                                            scope_.columns[slot].table != node.table_index)) {
      ++slot;
    }
    if (slot == scope_.columns.size()) return;
    const std::uint64_t seed = sample.seed ? *sample.seed : std::random_device()();
    node.conditions.push_back(
        [slot, seed, by_block = sample.by_block, share = sample.percent / 100](const Frame& f) {
          const auto* id = std::get_if<RowId>(&(*f.row)[slot].data);
          if (id == nullptr) return boolean(true);
          std::uint64_t x = seed * 0x9e3779b97f4a7c15U + id->block * 0xbf58476d1ce4e5b9U +
                            id->file * 0x94d049bb133111ebU + (by_block ? 0U : id->slot + 1U);
          for (int i = 0; i < 2; ++i) x = (x ^ (x >> 31U)) * 0x94d049bb133111ebU;
          x ^= x >> 29U;
          constexpr double kRange = 18446744073709551616.0;  // 2^64
          return boolean(static_cast<double>(x) / kRange < share);
        });
  }

  void add_partition_filter(FromNode& node, const ast::TableRef& ref) {
    const auto partitions = std::make_shared<Partitions>(*node.table, env_);
    const int wanted = partitions->find(ref.partition.text);
    if (wanted < 0) raise(2149, ref.partition.pos);
    node.conditions.push_back([partitions, wanted, begin = node.begin](const Frame& f) {
      return boolean(partitions->of_row(*f.row, begin, *f.context) == wanted);
    });
  }

  void bind_on(FromNode& node, const ast::TableRef& ref) {
    for (const Conjunct& c : bind_conjuncts(ref.on.get(), env_, scope_)) attach(node, c);
    std::vector<std::string> shared;
    for (const ast::Ident& column : ref.using_columns) shared.push_back(column.text);
    if (ref.natural) shared = common_columns(node);
    for (const std::string& name : shared) attach_using(node, name, ref.pos);
  }

  int find_in(const FromNode& side, const std::string& name) const {
    for (std::size_t i = side.begin; i < side.end; ++i) {
      if (scope_.columns[i].name == name && !scope_.columns[i].is_hidden)
        return static_cast<int>(i);
    }
    return -1;
  }

  std::vector<std::string> common_columns(const FromNode& node) const {
    std::vector<std::string> names;
    for (std::size_t i = node.left->begin; i < node.left->end; ++i) {
      const std::string& name = scope_.columns[i].name;
      if (!scope_.columns[i].is_hidden && find_in(*node.right, name) >= 0) names.push_back(name);
    }
    return names;
  }

  void attach_using(FromNode& node, const std::string& name, int pos) {
    const int left = find_in(*node.left, name);
    const int right = find_in(*node.right, name);
    if (left < 0 || right < 0) raise_invalid_identifier("\"" + name + "\"", pos);
    const auto slot_of = [](int slot) {
      return [slot](const Frame& f) { return (*f.row)[static_cast<std::size_t>(slot)]; };
    };
    node.hash_keys.emplace_back(slot_of(left), slot_of(right));
    // The joined column is one: the right one is no longer found by its plain name.
    ScopeColumn& hidden = scope_.columns[static_cast<std::size_t>(right)];
    hidden.is_hidden = true;
    hidden.name += "\x01";
    ScopeColumn& joined = scope_.columns[static_cast<std::size_t>(left)];
    if (joined.joined_with < 0) joined.joined_with = right;
  }

  /// Left-deep over the comma list; tables marked (+) come after those they hang on.
  std::unique_ptr<FromNode> chain(std::vector<std::unique_ptr<FromNode>> items,
                                  std::vector<Conjunct> conjuncts, std::vector<Conjunct>& rest) {
    std::set<int> marked;
    for (const Conjunct& c : conjuncts) {
      if (c.outer_table >= 0) marked.insert(c.outer_table);
    }
    std::stable_partition(items.begin(), items.end(), [&](const auto& item) {
      return std::none_of(item->tables.begin(), item->tables.end(),
                          [&](int t) { return marked.count(t) != 0; });
    });
    order_marked(items, conjuncts, marked);
    std::vector<bool> used(conjuncts.size(), false);
    std::unique_ptr<FromNode> node = std::move(items[0]);
    const auto settle = [&](FromNode& target) {
      for (std::size_t i = 0; i < conjuncts.size(); ++i) {
        const Conjunct& c = conjuncts[i];
        const bool fits = !used[i] && !c.uses_rownum && c.outer_table < 0 && !c.tables.empty() &&
                          within(c.tables, target.tables);
        if (!fits) continue;
        // An outer join's own rows may not be filtered before it is complete.
        if (target.left && target.kind != JoinKind::kInner) continue;
        attach(target, c);
        used[i] = true;
      }
    };
    settle(*node);
    for (std::size_t k = 1; k < items.size(); ++k) {
      auto join = std::make_unique<FromNode>();
      join->tables = node->tables;
      join->tables.insert(items[k]->tables.begin(), items[k]->tables.end());
      join->begin = std::min(node->begin, items[k]->begin);
      join->end = std::max(node->end, items[k]->end);
      const int only = *items[k]->tables.begin();
      if (items[k]->tables.size() == 1 && marked.count(only) != 0) join->kind = JoinKind::kLeft;
      join->left = std::move(node);
      join->right = std::move(items[k]);
      for (std::size_t i = 0; i < conjuncts.size(); ++i) {
        if (used[i] || conjuncts[i].outer_table != only || join->kind != JoinKind::kLeft) continue;
        attach(*join, conjuncts[i]);
        used[i] = true;
      }
      settle(*join);
      node = std::move(join);
    }
    for (std::size_t i = 0; i < conjuncts.size(); ++i) {
      if (!used[i]) rest.push_back(std::move(conjuncts[i]));
    }
    return node;
  }

  static void order_marked(std::vector<std::unique_ptr<FromNode>>& items,
                           const std::vector<Conjunct>& conjuncts, const std::set<int>& marked) {
    // Bubble a marked table behind another marked table that it depends on.
    for (std::size_t round = 0; round < items.size(); ++round) {
      for (std::size_t i = 0; i + 1 < items.size(); ++i) {
        const int a = *items[i]->tables.begin();
        const int b = *items[i + 1]->tables.begin();
        if (marked.count(a) == 0 || marked.count(b) == 0) continue;
        const bool depends = std::any_of(
            conjuncts.begin(), conjuncts.end(),
            [&](const Conjunct& c) { return c.outer_table == a && c.tables.count(b) != 0; });
        if (depends) std::swap(items[i], items[i + 1]);
      }
    }
  }

  const ast::QueryBlock& block_;
  const BindEnvironment& env_;
  const std::vector<const ast::Cte*>& ctes_;
  Scope& scope_;
  int next_table_ = 0;
  std::vector<std::pair<FromNode*, const ast::TableRef*>> leaves_, joins_;
};

}  // namespace

std::vector<Conjunct> bind_conjuncts(const ast::Expr* where, const BindEnvironment& environment,
                                     const Scope& scope) {
  std::vector<const ast::Expr*> all;
  split(where, all);
  std::vector<Conjunct> out;
  for (const ast::Expr* e : all) {
    Binder binder(environment, scope);
    Conjunct c;
    c.expr = e;
    c.eval = binder.condition(*e);
    c.tables = binder.used_tables;
    c.uses_rownum = binder.uses_rownum;
    if (const ast::Expr* mark = outer_mark(*e)) {
      Binder marked(environment, scope);
      marked.expression(*mark);
      if (!marked.used_tables.empty()) c.outer_table = *marked.used_tables.begin();
    }
    const bool equality = e->kind == ExprKind::kCompare && e->op == "=" && e->quantifier.empty() &&
                          e->args[0]->kind != ExprKind::kRow;
    if (equality) {
      Binder left(environment, scope);
      Binder right(environment, scope);
      const BoundExpr l = left.expression(*e->args[0]);
      const BoundExpr r = right.expression(*e->args[1]);
      c.left = l.eval;
      c.right = r.eval;
      c.left_tables = left.used_tables;
      c.right_tables = right.used_tables;
      c.is_hashable =
          hashes_alike(l.type, r.type) && !c.left_tables.empty() && !c.right_tables.empty();
    }
    out.push_back(std::move(c));
  }
  return out;
}

void attach(FromNode& join, const Conjunct& c) {
  if (join.left && c.is_hashable && !join.right->is_lateral) {
    if (within(c.left_tables, join.left->tables) && within(c.right_tables, join.right->tables)) {
      join.hash_keys.emplace_back(c.left, c.right);
      return;
    }
    if (within(c.right_tables, join.left->tables) && within(c.left_tables, join.right->tables)) {
      join.hash_keys.emplace_back(c.right, c.left);
      return;
    }
  }
  join.conditions.push_back(c.eval);
}

std::unique_ptr<FromNode> bind_from(const ast::QueryBlock& block,
                                    const BindEnvironment& environment,
                                    const std::vector<const ast::Cte*>& ctes, Scope& scope,
                                    bool attach_where, std::vector<Conjunct>& rest) {
  if (block.from_pos >= 0 && environment.needs_from) raise(923, block.from_pos);
  return FromBinder(block, environment, ctes, scope).bind(attach_where, rest);
}

bool hashes_alike(const DataType& a, const DataType& b) {
  if (is_text(a.type) && is_text(b.type)) return a.type == b.type;
  return a.type == b.type && !is_lob(a.type);
}

namespace {

/// Follows synonyms from a name; `find` looks at one owner and object and says when it is done.
template <class Find>
void follow_synonyms(const BindEnvironment& environment, const ast::Name& name, Find find) {
  std::string owner = name.size() > 1 ? name[name.size() - 2].text : environment.current_schema;
  std::string object = name.back().text;
  const auto& code = environment.catalog->code;
  for (int hop = 0; hop < 5; ++hop) {
    if (find(owner, object)) return;
    auto synonym = code.find({owner, object, "SYNONYM"});
    if (synonym == code.end() && name.size() == 1)
      synonym = code.find({"PUBLIC", object, "SYNONYM"});
    if (synonym == code.end()) return;
    owner = synonym->second->table_owner;
    object = synonym->second->table_name;
  }
}

}  // namespace

std::shared_ptr<const CodeDef> resolve_code(const BindEnvironment& environment,
                                            const ast::Name& name,
                                            std::initializer_list<const char*> kinds) {
  std::shared_ptr<const CodeDef> found;
  follow_synonyms(environment, name, [&](const std::string& owner, const std::string& object) {
    for (const char* kind : kinds) {
      found = environment.catalog->find_code(owner, object, kind);
      if (found) break;
    }
    return found != nullptr;
  });
  return found;
}

std::shared_ptr<const TableDef> resolve_table(const BindEnvironment& environment,
                                              const ast::Name& name) {
  std::shared_ptr<const TableDef> found;
  follow_synonyms(environment, name, [&](const std::string& owner, const std::string& object) {
    found = environment.catalog->find_table(owner, object);
    return found != nullptr;
  });
  return found;
}

}  // namespace orasim
