// The syntax tree of one statement. Plain data; positions are byte offsets in the SQL text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/value.h"

namespace orasim::ast {

struct Ident {
  std::string text;  ///< upper case unless quoted
  bool quoted = false;
  int pos = 0;
  [[nodiscard]] bool empty() const { return text.empty(); }
};
using Name = std::vector<Ident>;  ///< [schema.]object[.column]

struct Expr;
struct Query;
using ExprPtr = std::unique_ptr<Expr>;
using QueryPtr = std::unique_ptr<Query>;

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  std::optional<bool> nulls_first;
};

enum class FrameBound : std::uint8_t {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing,
};

struct WindowSpec {
  std::vector<ExprPtr> partition;
  std::vector<OrderItem> order;
  bool has_frame = false;
  bool rows = false;  ///< ROWS, else RANGE
  FrameBound from = FrameBound::kUnboundedPreceding;
  FrameBound to = FrameBound::kCurrentRow;
  ExprPtr from_offset, to_offset;
};

enum class ExprKind : std::uint8_t {
  kLiteral,
  kName,
  kStar,
  kBind,
  kUnary,
  kBinary,
  kCall,
  kCase,
  kCast,
  kExtract,
  kSubquery,
  kAtTimeZone,
  kIntervalOf,
  kRow,
  kDefault,
  // Conditions:
  kCompare,
  kBetween,
  kLike,
  kIn,
  kIsNull,
  kIsNan,
  kIsInfinite,
  kIsJson,
  kIsTrue,
  kExists,
  kAnd,
  kOr,
  kNot,
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  int begin = 0, end = 0;
  Value value;         ///< kLiteral
  Name name;           ///< kName, kCall; qualifier of kStar
  bool outer = false;  ///< kName with (+)
  int bind = -1;       ///< kBind: index in wire order
  std::string op;      ///< operator, EXTRACT field, ANY/ALL in `quantifier`
  std::string quantifier;
  bool negated = false;      ///< NOT BETWEEN, IS NOT NULL, …
  bool has_else = false;     ///< kCase
  bool has_operand = false;  ///< kCase
  bool distinct = false;     ///< aggregate (DISTINCT x)
  bool ignore_nulls = false;
  bool call_without_parentheses = false;
  std::vector<ExprPtr> args;
  std::vector<std::string> arg_names;  ///< named notation: same length as args, or empty
  std::unique_ptr<WindowSpec> window;
  std::vector<OrderItem> within;  ///< WITHIN GROUP or KEEP (… ORDER BY …)
  std::string keep;               ///< FIRST or LAST of KEEP (DENSE_RANK …)
  std::string overflow_text;      ///< LISTAGG … ON OVERFLOW TRUNCATE 'x'
  bool overflow_truncate = false, overflow_count = true;
  DataType type;  ///< kCast, kIntervalOf
  QueryPtr query;
};

enum class JoinKind : std::uint8_t { kInner, kLeft, kRight, kFull, kCross };

struct TableRef;
using TableRefPtr = std::unique_ptr<TableRef>;

/// SAMPLE [BLOCK] (percent) [SEED (n)]
struct Sample {
  bool by_block = false;
  double percent = 0;
  std::optional<std::uint32_t> seed;
};

struct TableRef {
  enum class Kind : std::uint8_t { kTable, kQuery, kJoin } kind = Kind::kTable;
  int pos = 0;
  Name name;
  Ident alias;
  Ident partition;
  std::optional<Sample> sample;
  ExprPtr as_of;  ///< AS OF SCN / TIMESTAMP
  bool as_of_timestamp = false;
  QueryPtr query;
  bool lateral = false;
  JoinKind join = JoinKind::kInner;
  bool natural = false;
  TableRefPtr left, right;
  ExprPtr on;
  std::vector<Ident> using_columns;
};

struct SelectItem {
  ExprPtr expr;
  Ident alias;
};

struct QueryBlock {
  int pos = 0;
  bool distinct = false;
  std::vector<SelectItem> items;
  std::vector<Name> into;       ///< PL/SQL SELECT … INTO: variable names
  std::vector<int> into_binds;  ///< … or binds; parallel, -1 = name
  bool is_bulk = false;         ///< BULK COLLECT INTO
  std::vector<TableRefPtr> from;
  ExprPtr where, start_with, connect_by, having;
  bool nocycle = false;
  int from_pos = -1;              ///< where FROM would stand when there is none; -1: there is one
  std::vector<ExprPtr> group_by;  ///< distinct grouping expressions
  bool has_group_by = false;
  std::vector<std::vector<int>> grouping_sets;  ///< indexes into group_by; empty: one plain set
};

/// FOR UPDATE, and what to do about a row that another transaction has locked.
enum class RowLock : std::uint8_t { kNone, kWait, kNoWait, kSkipLocked };

enum class SetOperator : std::uint8_t { kNone, kUnion, kUnionAll, kMinus, kIntersect };

struct Cte {
  Ident name;
  std::vector<Ident> columns;
  std::shared_ptr<Query> query;
};

struct Query {
  int begin = 0, end = 0;
  std::vector<Cte> with;
  std::unique_ptr<QueryBlock> block;  ///< when op is kNone
  SetOperator op = SetOperator::kNone;
  QueryPtr left, right;
  std::vector<OrderItem> order_by;
  bool order_siblings = false;  ///< ORDER SIBLINGS BY
  ExprPtr offset, fetch;
  bool fetch_percent = false, with_ties = false;
  RowLock lock = RowLock::kNone;
  std::optional<std::int64_t> lock_wait_secs;  ///< FOR UPDATE WAIT n
};

struct Assignment {
  std::vector<Ident> columns;  ///< several: (a, b) = (subquery)
  ExprPtr value;
};

struct Returning {
  std::vector<ExprPtr> exprs;
  std::vector<int> binds;       ///< return bind numbers, or -1 …
  std::vector<Name> variables;  ///< … for a PL/SQL variable
};

struct InsertTarget {
  Name table;
  QueryPtr view;  ///< INSERT INTO (SELECT …)
  Ident alias;
  std::vector<Ident> columns;
  std::vector<ExprPtr> values;  ///< empty for INSERT … SELECT
  ExprPtr when;                 ///< multi-table: WHEN condition
  bool is_else = false;
  int pos = 0;
};

struct Insert {
  std::vector<InsertTarget> targets;  ///< one, or several for INSERT ALL / FIRST
  bool multi = false, first = false;
  QueryPtr query;
  Returning returning;
};

struct Update {
  Name table;
  Ident alias;
  int pos = 0;
  QueryPtr view;  ///< UPDATE (SELECT …)
  std::vector<Assignment> set;
  ExprPtr where;
  Returning returning;
};

struct Delete {
  Name table;
  Ident alias;
  int pos = 0;
  QueryPtr view;  ///< DELETE FROM (SELECT …)
  ExprPtr where;
  Returning returning;
};

struct Merge {
  Name table;
  Ident alias;
  int pos = 0;
  QueryBlock rows;  ///< FROM source LEFT JOIN target ON …
  bool has_update = false, has_insert = false;
  std::vector<Assignment> set;
  ExprPtr update_where, delete_where, insert_where;
  std::vector<Ident> insert_columns;
  std::vector<ExprPtr> insert_values;
};

}  // namespace orasim::ast
